import { describe, expect, it } from "vitest";
import type { ConnectionTest } from "../sdk/index.js";
import { resultWords, summary } from "./checkup.js";

describe("resultWords", () => {
  it("says a time, a speed or a reason", () => {
    expect(resultWords({ name: "udp", result: "passed", timeMs: 41, reason: "" })).toBe("41 ms");
    expect(resultWords({ name: "tcp", result: "failed", timeMs: 8000, reason: "No connection within 8 s." })).toBe("No connection within 8 s.");
    expect(resultWords({ name: "bitrate", result: "passed", timeMs: 6000, reason: "", bitrate: 2_460_000 })).toBe("2.5 Mbit/s");
    expect(resultWords({ name: "bitrate", result: "failed", timeMs: 6000, reason: "Too slow for a good picture.", bitrate: 300_000 })).toBe("0.3 Mbit/s. Too slow for a good picture.");
  });
});

describe("summary", () => {
  const test = (light: ConnectionTest["light"], ...failed: string[]): ConnectionTest => ({
    light,
    results: (["signaling", "udp", "tcp", "turnUdp", "turnTcp", "bitrate"] as const).map((name) => ({ name, result: failed.includes(name) ? "failed" : "passed", timeMs: 1, reason: "" })),
  });

  it.each([
    [test("green"), /good here/],
    [test("yellow", "udp", "turnUdp"), /^No UDP/],
    [test("yellow", "bitrate"), /^There is little room/],
    [test("yellow", "udp", "turnUdp", "bitrate"), /no direct way, or little room/],
    [test("red", "udp", "tcp", "turnUdp", "turnTcp", "bitrate"), /^Nothing gets through/],
    [test("red", "signaling"), /^The server cannot be reached/],
  ])("says what is amiss", (outcome, words) => expect(summary(outcome).text).toMatch(words));

  it("says of a test that could not be made no more than that", () => {
    const refused: ConnectionTest = {
      light: "red",
      results: [
        { name: "signaling", result: "passed", timeMs: 3, reason: "" },
        ...(["udp", "tcp", "bitrate"] as const).map((name) => ({ name, result: "skipped" as const, timeMs: 0, reason: "Too many tests; wait a little." })),
      ],
    };
    expect(summary(refused)).toEqual({ title: "Not tested", text: "Too many tests; wait a little." });
  });
});
