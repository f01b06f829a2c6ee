/** What to do after the socket closed. */
export type Verdict = {
    retry: true;
    newToken: boolean;
    minDelayMs: number;
} | {
    retry: false;
    reason: string;
};
/**
 * Milliseconds before the next attempt: exponential, and anywhere in the upper half of the step, so that the clients of a
 * server that restarts do not all come back in the same moment. `random` is in [0, 1).
 */
export declare function backoff(attempt: number, random: number): number;
/** Reads a close code as docs/protocol.md, sections 1, 2 and 9 mean it. */
export declare function verdict(code: number, reason: string): Verdict;
