import { ParleyError } from "../sdk/index.js";

/** What every call of this layer rejects with; has the field names of both generations of CometChat's SDKs. */
export class CometChatException extends Error {
  readonly code: string;
  readonly details: unknown;
  readonly errorCode: string;
  readonly errorDescription: string;

  constructor(error: { code: string; message: string; details?: unknown }) {
    super(error.message);
    this.name = "CometChatException";
    this.code = this.errorCode = error.code;
    this.errorDescription = error.message;
    this.details = error.details;
  }

  /** The field `code`. */
  getCode(): string {
    return this.code;
  }

  /** The field `message`. */
  getMessage(): string {
    return this.message;
  }

  /** Makes one of anything that was thrown. */
  static from(error: unknown): CometChatException {
    if (error instanceof CometChatException) return error;
    if (error instanceof ParleyError) return new CometChatException({ code: error.code, message: error.message, details: error.details });
    return new CometChatException({ code: "ERR_INTERNAL", message: error instanceof Error ? error.message : String(error) });
  }
}
