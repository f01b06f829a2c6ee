import type { Attendee, CallLogFilter, LoggedCall, Parley } from "../sdk/index.js";
import { Group, User } from "./people.js";
/** One user of a logged call, with the fields and getters of CometChat's Participant. */
export declare class CallLogParticipant extends User {
    readonly isJoined: boolean;
    readonly deviceId: string;
    readonly state: string;
    readonly joinedAt: number;
    readonly leftAt: number;
    readonly totalDurationInMinutes: number;
    constructor(call: LoggedCall, member: LoggedCall["members"][number], attendee: Attendee | undefined);
    /** The field `deviceId`. */
    getDeviceID(): string;
    /** The field `isJoined`. */
    getIsJoined(): boolean;
    /** The field `state`. */
    getState(): string;
    /** The field `joinedAt`. */
    getJoinedAt(): number;
    /** The field `leftAt`. */
    getLeftAt(): number;
    /** The field `totalDurationInMinutes`. */
    getTotalDurationInMinutes(): number;
}
/** A call of the log, with the fields and getters of CometChat's CallLog. Times are epoch seconds. */
export declare class CallLog {
    readonly sessionId: string;
    /** `meet`: a session that nobody was called to. */
    readonly mode: "call" | "meet";
    readonly type: string;
    /** CometChat's `missed` counts as such here, too. */
    readonly status: string;
    readonly receiverType: string;
    readonly initiator: User;
    readonly receiver: User | Group;
    readonly initiatedAt: number;
    readonly startedAt: number;
    readonly endedAt: number;
    readonly totalDuration: string;
    readonly totalDurationInMinutes: number;
    readonly totalParticipants: number;
    readonly participants: CallLogParticipant[];
    readonly hasRecording = false;
    readonly hasTranscription = false;
    readonly rawData: LoggedCall;
    constructor(call: LoggedCall);
    /** The field `sessionId`. */
    getSessionID(): string;
    /** The field `mode`. */
    getMode(): string;
    /** The field `type`. */
    getType(): string;
    /** The field `status`. */
    getStatus(): string;
    /** The field `receiverType`. */
    getReceiverType(): string;
    /** The field `initiator`. */
    getInitiator(): User;
    /** The field `receiver`. */
    getReceiver(): User | Group;
    /** The field `initiatedAt`. */
    getInitiatedAt(): number;
    /** The field `startedAt`. */
    getStartedAt(): number;
    /** The field `endedAt`. */
    getEndedAt(): number;
    /** The field `totalDuration`. */
    getTotalDuration(): string;
    /** The field `totalDurationInMinutes`. */
    getTotalDurationInMinutes(): number;
    /** The field `totalParticipants`. */
    getTotalParticipants(): number;
    /** The field `participants`. */
    getParticipants(): CallLogParticipant[];
    /** False: recordings are not made here. */
    isRecorded(): boolean;
}
/** What the log is asked for; `nothing` when it is for what no Parley call has. */
interface Wish {
    filter: CallLogFilter;
    nothing: boolean;
}
/** Reads the log page by page. */
export declare class CallLogRequest {
    #private;
    /** @internal */
    constructor(wish: Wish, need: () => Parley);
    /** The next page; empty when there are no more. */
    fetchNext(): Promise<CallLog[]>;
    /** The page before the one that was fetched last; empty before the first. */
    fetchPrevious(): Promise<CallLog[]>;
}
/** CometChat's builder of a request for the call log. Filters for what Parley does not have find nothing. */
export declare class CallLogRequestBuilder {
    #private;
    /** @internal Set by the entry point: the signed-in client. */
    static need: () => Parley;
    /** Calls of a page: 1–100, 30 if it is not set. */
    setLimit(limit: number): this;
    /** `audio` or `video` calls only. */
    setCallType(type: string): this;
    /** ongoing, busy, rejected, cancelled, ended, missed, and the other statuses of Parley. */
    setCallStatus(status: string): this;
    /** `incoming` or `outgoing` calls only. */
    setCallDirection(direction: string): this;
    /** `meet` finds sessions that nobody was called to; `call` finds them, too. */
    setCallCategory(category: string): this;
    /** Calls with this other user only. */
    setUid(uid: string): this;
    /** Calls of this group only. */
    setGuid(guid: string): this;
    /** Recordings are not made here: true finds nothing. */
    setHasRecording(wanted: boolean): this;
    /** Transcriptions are not made here: true finds nothing. */
    setHasTranscriptions(wanted: boolean): this;
    /** Being signed in is enough here. */
    setAuthToken(_token: string): this;
    /** The request, before its first page. */
    build(): CallLogRequest;
}
export {};
