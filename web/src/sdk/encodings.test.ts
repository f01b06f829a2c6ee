import { describe, expect, it } from "vitest";
import { encodingsOf, shouldRun } from "./encodings.js";

describe("encodingsOf", () => {
  it("lists a camera's encodings from the smallest to the largest", () => {
    const camera = encodingsOf("camera", true, true);
    expect(camera.map((e) => e.rid)).toEqual(["q", "h", "f"]);
    expect(camera.map((e) => e.scaleResolutionDownBy)).toEqual([4, 2, 1]);
    expect(camera.every((e) => e.scalabilityMode === "L1T3")).toBe(true);
  });

  it("gives one encoding without a name where there is no simulcast", () => {
    expect(encodingsOf("camera", false, false)).toEqual([{ maxBitrate: 1_700_000 }]);
    expect(encodingsOf("microphone", true, true)).toEqual([{ maxBitrate: 64_000 }]);
  });
});

describe("shouldRun", () => {
  const watched = { publicationId: "p.1", mid: "1", active: true, encodings: [{ rid: "q", active: true }, { rid: "h", active: false }] };

  it("runs what the server says nothing about", () => {
    expect(shouldRun(undefined, "q")).toBe(true);
    expect(shouldRun(watched, "f")).toBe(true);
    expect(shouldRun({ ...watched, encodings: undefined }, undefined)).toBe(true);
  });

  it("stops what nobody receives", () => {
    expect(shouldRun(watched, "q")).toBe(true);
    expect(shouldRun(watched, "h")).toBe(false);
    expect(shouldRun({ ...watched, active: false }, "q")).toBe(false);
  });
});
