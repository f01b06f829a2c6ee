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
    getDeviceID(): string;
    getIsJoined(): boolean;
    getState(): string;
    getJoinedAt(): number;
    getLeftAt(): number;
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
    getSessionID(): string;
    getMode(): string;
    getType(): string;
    getStatus(): string;
    getReceiverType(): string;
    getInitiator(): User;
    getReceiver(): User | Group;
    getInitiatedAt(): number;
    getStartedAt(): number;
    getEndedAt(): number;
    getTotalDuration(): string;
    getTotalDurationInMinutes(): number;
    getTotalParticipants(): number;
    getParticipants(): CallLogParticipant[];
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
    setLimit(limit: number): this;
    setCallType(type: string): this;
    /** ongoing, busy, rejected, cancelled, ended, missed, and the other statuses of Parley. */
    setCallStatus(status: string): this;
    setCallDirection(direction: string): this;
    /** `meet` finds sessions that nobody was called to; `call` finds them, too. */
    setCallCategory(category: string): this;
    setUid(uid: string): this;
    setGuid(guid: string): this;
    setHasRecording(wanted: boolean): this;
    setHasTranscriptions(wanted: boolean): this;
    /** Being signed in is enough here. */
    setAuthToken(_token: string): this;
    build(): CallLogRequest;
}
export {};
