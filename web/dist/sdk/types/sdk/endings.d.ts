import type { Call } from "./types.js";
/** Whether a refused join is the end of the session. */
export declare function isFinal(error: unknown): boolean;
/** Why a call that is over is over, in the words of session.closed. */
export declare function endOf(call: Call): string;
/** Why a session ends whose rejoining was refused, and the call's final state where the server gave it. */
export declare function endByRefusal(error: unknown): {
    reason: string;
    call?: Call;
};
