import { describe, expect, it } from "vitest";
import { encodingsOf, shouldRun, sizingOf } from "./encodings.js";

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

describe("sizingOf", () => {
  const all = (count: number, pixels?: number) => Array.from({ length: count }, (_, at) => sizingOf(count === 2 ? "screen" : "camera", count, at, pixels)).map((s) => (s.unused ? 0 : s.scaleResolutionDownBy));

  it("spreads a large picture over three sizes, and one of unknown size", () => {
    expect(all(3, 1280 * 720)).toEqual([4, 2, 1]);
    expect(all(3)).toEqual([4, 2, 1]);
    expect(all(2, 1920 * 1080)).toEqual([2, 1]);
  });

  it("uses fewer for a small one, the largest of which is the picture itself", () => {
    expect(all(3, 640 * 480)).toEqual([2, 1, 0]);
    expect(all(3, 320 * 240)).toEqual([1, 0, 0]);
    expect(all(2, 320 * 240)).toEqual([1, 0]);
  });
});

describe("the bit rate of an encoding", () => {
  const rates = (source: "camera" | "screen", pixels?: number) => {
    const count = source === "camera" ? 3 : 2;
    return Array.from({ length: count }, (_, at) => sizingOf(source, count, at, pixels)).filter((s) => !s.unused).map((s) => s.maxBitrate / 1000);
  };

  it("follows the pixels of a face", () => {
    expect(rates("camera")).toEqual([150, 500, 1700]);
    expect(rates("camera", 1280 * 720)).toEqual([150, 500, 1690]);
    expect(rates("camera", 640 * 480)).toEqual([190, 640]);
    expect(rates("camera", 320 * 240)).toEqual([190]);
    expect(rates("camera", 3840 * 2160)).toEqual([1020, 1700, 1700]);
  });

  it("is the highest for the largest picture of a screen", () => {
    expect(rates("screen", 1920 * 1080)).toEqual([500, 2500]);
    expect(rates("screen", 320 * 240)).toEqual([2500]);
  });

  it("is the whole one without simulcast", () => {
    expect(sizingOf("camera", 1, 0, 640 * 480)).toEqual({ scaleResolutionDownBy: 1, maxBitrate: 640_000, unused: false });
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
