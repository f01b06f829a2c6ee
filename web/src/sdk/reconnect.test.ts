import { describe, expect, it } from "vitest";
import { backoff, verdict } from "./reconnect.js";

describe("backoff", () => {
  it("doubles up to a limit and stays in the upper half of each step", () => {
    for (let attempt = 0; attempt < 20; attempt++) {
      const step = Math.min(15_000, 400 * 2 ** attempt);
      expect(backoff(attempt, 0)).toBe(step / 2);
      expect(backoff(attempt, 0.999)).toBeLessThanOrEqual(step);
    }
  });
});

describe("verdict", () => {
  it.each([
    [1006, "", true],
    [1012, "server_shutdown", true],
    [4408, "idle_timeout", true],
    [4409, "slow_consumer", true],
    [4401, "hello_timeout", true],
    [4400, "protocol_abuse", false],
    [4410, "replaced", false],
    [4426, "unsupported_protocol", false],
  ])("close %i %s: try again %s", (code, reason, retry) => {
    expect(verdict(code, reason).retry).toBe(retry);
  });

  it("asks for a new token after a refused one only", () => {
    expect(verdict(4401, "unauthorized")).toMatchObject({ retry: true, newToken: true });
    expect(verdict(4401, "hello_timeout")).toMatchObject({ retry: true, newToken: false });
  });

  it("waits longer when it was too fast", () => {
    expect(verdict(4429, "too_many_requests")).toMatchObject({ minDelayMs: 5000 });
  });
});
