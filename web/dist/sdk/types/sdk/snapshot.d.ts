import type { Call, CallEvents, CallStatus } from "./types.js";
/** What this device remembers of a call that is not over. */
export interface KnownCall {
    call: Call;
    /** This device initiated it. */
    startedHere: boolean;
    /** This device accepted it, or has joined its session. */
    takenHere: boolean;
}
/** One event to raise. */
export type CallNews = {
    [K in keyof CallEvents]: {
        type: K;
        payload: CallEvents[K];
    };
}[keyof CallEvents];
/** True for every status that a call never leaves. */
export declare function isOver(status: CallStatus): boolean;
/**
 * Says what happened while this device was away, from what it knew and what the server says now, as the events that it would
 * have heard. A ringing call that the server does not list any more stops ringing. `since` is the server time of the last
 * contact, or undefined on the first connection, when old missed calls are no news.
 */
export declare function reconcile(me: string, known: Iterable<KnownCall>, snapshot: Call[], since: number | undefined): CallNews[];
