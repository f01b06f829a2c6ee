import { type CallNews, type KnownCall } from "./snapshot.js";
import type { Call } from "./types.js";
/** What this device knows of the user's calls that are not over; the ground on which a snapshot is compared. */
export declare class CallBook {
    #private;
    /** Notes a call as the server last described it. */
    note(call: Call, here?: {
        startedHere?: boolean;
        takenHere?: boolean;
    }): void;
    get(sessionId: string): KnownCall | undefined;
    /** Compares with a snapshot, takes it over, and says what is new. */
    reconcile(me: string, snapshot: Call[], since: number | undefined): CallNews[];
}
