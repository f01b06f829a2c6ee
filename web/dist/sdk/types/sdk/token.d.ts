import type { TokenProvider, TokenReason } from "./types.js";
/** The token of the signed-in user: a fixed one, or one that the app makes anew when asked. */
export declare class TokenSource {
    #private;
    constructor(token: string | TokenProvider);
    /** Whether a new token can be had without the app being told to bring one. */
    get renewable(): boolean;
    /** The token to use; asks the app if there is none. */
    get(): Promise<string>;
    /** Asks the app for a new token, once at a time. */
    renew(reason: TokenReason): Promise<string>;
    /** Takes a token that the app brought. */
    set(token: string): void;
}
