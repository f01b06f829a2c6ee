import { describe, expect, it } from "vitest";
import { measure } from "./measure.js";

const audio = (totalSamplesReceived: number, concealedSamples: number, silentConcealedSamples = 0) => ({
  kind: "audio" as const, totalSamplesReceived, concealedSamples, silentConcealedSamples, jitterBufferDelay: totalSamplesReceived / 1000, jitterBufferEmittedCount: totalSamplesReceived / 48,
});
const video = (framesDecoded: number, totalFreezesDuration: number) => ({ kind: "video" as const, framesDecoded, totalFreezesDuration, frameWidth: 640, frameHeight: 360 });

describe("measure", () => {
  it("says what part of the sound was made up and of the time the picture stood", () => {
    const before = [{ pair: 0, audio: audio(48_000, 100), video: video(10, 1) }];
    const after = [{ pair: 0, audio: audio(288_000, 2_500), video: video(130, 2) }];
    expect(measure(before, after, 5)).toEqual([{ pair: 0, concealed: 0.01, jitterBufferMs: 48, frozen: 0.2, frameRate: 24, width: 640, height: 360 }]);
  });

  it("does not count silence that was made up", () => {
    expect(measure([{ pair: 1, audio: audio(0, 0, 0) }], [{ pair: 1, audio: audio(48_000, 4_800, 4_800) }], 1)[0]?.concealed).toBe(0);
  });

  it("leaves out what did not come", () => {
    expect(measure([{ pair: 0, audio: audio(100, 0) }], [{ pair: 0, audio: audio(100, 0) }, { pair: 1, video: video(9, 0) }], 5)).toEqual([]);
  });

  it("stays within the protocol's ranges when counters start anew", () => {
    const [stats] = measure([{ pair: 0, video: video(100, 50) }], [{ pair: 0, video: video(5_000, 90) }], 2);
    expect(stats).toMatchObject({ frozen: 1, frameRate: 240 });
    expect(measure([{ pair: 0, video: video(100, 50) }], [{ pair: 0, video: video(3, 0) }], 2)).toEqual([]);
  });
});
