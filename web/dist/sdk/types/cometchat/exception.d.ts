/** What every call of this layer rejects with; has the field names of both generations of CometChat's SDKs. */
export declare class CometChatException extends Error {
    readonly code: string;
    readonly details: unknown;
    readonly errorCode: string;
    readonly errorDescription: string;
    constructor(error: {
        code: string;
        message: string;
        details?: unknown;
    });
    /** The field `code`. */
    getCode(): string;
    /** The field `message`. */
    getMessage(): string;
    /** Makes one of anything that was thrown. */
    static from(error: unknown): CometChatException;
}
