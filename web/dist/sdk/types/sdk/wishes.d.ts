import type { SlotWish } from "./session-types.js";
import type { View } from "./views.js";
/** What is wished for one pair (params of session.wish). */
export interface PairWish extends SlotWish {
    pair: number;
}
/** More is wanted: a picture should not wait. */
export declare const MORE_MS = 60;
/** Less is wanted: a page that is being rearranged, or looked away from for a moment, soon wants it back. */
export declare const LESS_MS = 1000;
/** The server takes five a second. */
export declare const SPACING_MS = 250;
/** The wish for a pair: what the application said of it, and for the rest how it is on the screen. */
export declare function wishFor(pair: number, view: View | undefined, said: SlotWish | undefined): PairWish | undefined;
/** Whether a list wants more of any pair than another one did. */
export declare function wantsMore(before: readonly PairWish[], after: readonly PairWish[]): boolean;
/** Tells the server what is wished, when it has changed and not too often. */
export declare class Wishes {
    #private;
    /** `read` says what is wished now; `send` tells it. */
    constructor(read: () => PairWish[], send: (wishes: PairWish[]) => Promise<unknown>);
    /** Something may have changed. */
    changed(): void;
    /** The server knows nothing any more: a new place in the session. */
    reset(): void;
    close(): void;
}
