import type { Call, CallStatus, CallType, ReceiverType, User } from "./types.js";
/** Which calls of the log are wanted; what is left out chooses all. Times are Unix milliseconds. */
export interface CallLogFilter {
    /** `missed`: you were rung and did not answer. */
    status?: CallStatus | "missed";
    type?: CallType;
    receiverType?: ReceiverType;
    direction?: "incoming" | "outgoing";
    /** Calls with this other user. */
    uid?: string;
    /** Calls of this group. */
    guid?: string;
    /** Initiated then or later. */
    from?: number;
    /** Initiated before. */
    until?: number;
    /** At least so many users were in the room. */
    attended?: number;
    /** `next` of the page before. */
    cursor?: string;
    /** 1–100; 30 when left out. */
    limit?: number;
}
/** One user's time in a call's room, over all their devices. Times are Unix milliseconds. */
export interface Attendee {
    user: User;
    deviceIds: string[];
    /** How often they came in. */
    joins: number;
    joinedAt: number;
    /** Absent while they are in the room. */
    leftAt?: number;
    seconds: number;
    /** Scores of their connection from 0 to 100, if there were any. */
    quality?: {
        worst: number;
        mean: number;
    };
}
/** A call of the log: the call, and what came of it. */
export interface LoggedCall extends Call {
    direction: "incoming" | "outgoing";
    missed?: boolean;
    /** From the acceptance to the end, or until now. */
    durationSeconds: number;
    participants: Attendee[];
}
/** A page of the log, newest first. */
export interface CallLogPage {
    calls: LoggedCall[];
    /** The cursor of the next page; absent on the last. */
    next?: string;
}
