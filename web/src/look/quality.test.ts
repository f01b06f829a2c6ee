import { describe, expect, it } from "vitest";
import { qualityWords } from "./quality.js";

describe("qualityWords", () => {
  it("says the cause only where something is amiss", () => {
    expect(qualityWords(undefined)).toBe("");
    expect(qualityWords({ score: 90, grade: "excellent", cause: "resolution" })).toBe("excellent connection");
    expect(qualityWords({ score: 55, grade: "poor", cause: "loss" })).toBe("weak connection: sound gets lost");
    expect(qualityWords({ score: 65, grade: "fair", cause: "none" })).toBe("fair connection");
  });
});
