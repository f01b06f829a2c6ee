import { describe, expect, it } from "vitest";
import { ParleyError } from "./errors.js";
import { lightOf, testConnection, type ConnectionTestName, type ConnectionTestResult } from "./connection-test.js";

const results = (passed: ConnectionTestName[], failed: ConnectionTestName[] = []): ConnectionTestResult[] => [
  ...passed.map((name) => ({ name, result: "passed" as const, timeMs: 1, reason: "" })),
  ...failed.map((name) => ({ name, result: "failed" as const, timeMs: 1, reason: "No." })),
];

describe("lightOf", () => {
  it("is green with UDP, straight or relayed, and room for a picture", () => {
    expect(lightOf(results(["signaling", "udp", "bitrate"], ["turnTls"]))).toBe("green");
    expect(lightOf(results(["signaling", "turnUdp", "bitrate"], ["udp"]))).toBe("green");
  });

  it("is yellow when calls only just work", () => {
    expect(lightOf(results(["signaling", "turnTls", "bitrate"], ["udp", "turnUdp"]))).toBe("yellow");
    expect(lightOf(results(["signaling", "udp"], ["bitrate"]))).toBe("yellow");
  });

  it("is red without signaling, or without any way for media", () => {
    expect(lightOf(results([], ["signaling"]))).toBe("red");
    expect(lightOf(results(["signaling"], ["udp", "tcp"]))).toBe("red");
  });
});

describe("testConnection", () => {
  it("says that the server cannot be reached", async () => {
    const test = await testConnection({ online: () => false, request: () => Promise.reject(new Error("never asked")) });
    expect(test.light).toBe("red");
    expect(test.results.map(({ name, result }) => `${name} ${result}`)).toEqual([
      "signaling failed", "udp skipped", "tcp skipped", "turnUdp skipped", "turnTcp skipped", "turnTls skipped", "bitrate skipped",
    ]);
  });

  it("says that the server takes no more tests", async () => {
    const heard: string[] = [];
    const test = await testConnection({
      online: () => true,
      request: async <T>(method: string) => {
        if (method !== "ping") throw new ParleyError("ERR_TOO_MANY_REQUESTS", "");
        return {} as T;
      },
      progress: ({ name }) => heard.push(name),
    });
    expect(test.results[0]?.result).toBe("passed");
    expect(test.results[1]).toMatchObject({ result: "skipped", reason: "Too many tests; wait a little." });
    expect(heard).toHaveLength(7);
  });

  it("goes on when the browser refuses one way, such as a port that it allows nobody", async () => {
    // There is no RTCPeerConnection here at all.
    const answers: Record<string, unknown> = { "connection.test": { testId: "t_1", iceServers: [] } };
    const test = await testConnection({ online: () => true, request: async <T>(method: string) => (answers[method] ?? {}) as T });
    expect(test.results.map(({ name, result }) => `${name} ${result}`)).toEqual([
      "signaling passed", "udp failed", "tcp failed", "turnUdp skipped", "turnTcp skipped", "turnTls skipped", "bitrate skipped",
    ]);
    expect(test.results.at(-1)?.reason).toBe("No way for media works.");
  });
});
