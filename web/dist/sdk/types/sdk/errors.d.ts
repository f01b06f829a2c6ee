/** Anything that goes wrong in the SDK: a refusal of the server, a lost connection, a device that cannot be used. */
export declare class ParleyError extends Error {
    /**
     * Stable. The server's ERR_ code (docs/protocol.md, section 7), or one of the client's own: `NOT_CONNECTED`, `TIMEOUT`,
     * `DISCONNECTED`, `CLOSED`, `MEDIA_NOT_ALLOWED`, `MEDIA_NOT_FOUND`, `MEDIA_IN_USE`, `MEDIA_UNSUPPORTED`, `MEDIA_FAILED`,
     * `DATA_QUEUE_FULL`, `NOT_JOINED`, `ALREADY_JOINED`.
     */
    readonly code: string;
    /** The parameter that a bad request was refused for, or "". */
    readonly field: string;
    /** What the server added, e.g. `sessionId` of the call that keeps you busy. */
    readonly details: Record<string, unknown>;
    constructor(code: string, message: string, field?: string, details?: Record<string, unknown>);
}
/** The `code` of any error, `ERR_INTERNAL` for one that is not ours. */
export declare function codeOf(error: unknown): string;
