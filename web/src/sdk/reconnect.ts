/** What to do after the socket closed. */
export type Verdict =
  | { retry: true; newToken: boolean; minDelayMs: number }
  | { retry: false; reason: string };

const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 15_000;

/**
 * Milliseconds before the next attempt: exponential, and anywhere in the upper half of the step, so that the clients of a
 * server that restarts do not all come back in the same moment. `random` is in [0, 1).
 */
export function backoff(attempt: number, random: number): number {
  const step = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, attempt));
  return Math.round(step / 2 + (step / 2) * random);
}

/** Reads a close code as docs/protocol.md, sections 1, 2 and 9 mean it. */
export function verdict(code: number, reason: string): Verdict {
  const again: Verdict = { retry: true, newToken: false, minDelayMs: 0 };
  switch (code) {
    case 4400:
      return { retry: false, reason: "protocol_abuse" };
    case 4401:
      return reason === "hello_timeout" ? again : { ...again, newToken: true };
    case 4410:
      return { retry: false, reason: "replaced" };
    case 4426:
      return { retry: false, reason: "unsupported_protocol" };
    case 4429:
      return { ...again, minDelayMs: 5_000 };
    default:
      return again;
  }
}
