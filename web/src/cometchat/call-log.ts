import type { Attendee, CallLogFilter, LoggedCall, Parley } from "../sdk/index.js";
import { CometChatException } from "./exception.js";
import { Group, User } from "./people.js";

/** Epoch seconds, as CometChat counts; 0 for what has not happened. */
const seconds = (ms: number | undefined): number => (ms ? Math.floor(ms / 1000) : 0);

/** HH:MM:SS */
function clock(total: number): string {
  const whole = Math.floor(total);
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map((n) => String(n).padStart(2, "0")).join(":");
}

const minutes = (total: number): number => Math.round((total / 60) * 100) / 100;

/** One user of a logged call, with the fields and getters of CometChat's Participant. */
export class CallLogParticipant extends User {
  readonly isJoined: boolean;
  readonly deviceId: string;
  readonly state: string;
  readonly joinedAt: number;
  readonly leftAt: number;
  readonly totalDurationInMinutes: number;

  constructor(call: LoggedCall, member: LoggedCall["members"][number], attendee: Attendee | undefined) {
    super(member.user);
    this.isJoined = attendee !== undefined;
    this.deviceId = attendee?.deviceIds.at(-1) ?? "";
    this.state = member.state === "left" && call.status === "ended" ? "ended" : member.state;
    this.joinedAt = seconds(attendee?.joinedAt);
    this.leftAt = seconds(attendee?.leftAt);
    this.totalDurationInMinutes = minutes(attendee?.seconds ?? 0);
  }

  /** The field `deviceId`. */
  getDeviceID(): string {
    return this.deviceId;
  }

  /** The field `isJoined`. */
  getIsJoined(): boolean {
    return this.isJoined;
  }

  /** The field `state`. */
  getState(): string {
    return this.state;
  }

  /** The field `joinedAt`. */
  getJoinedAt(): number {
    return this.joinedAt;
  }

  /** The field `leftAt`. */
  getLeftAt(): number {
    return this.leftAt;
  }

  /** The field `totalDurationInMinutes`. */
  getTotalDurationInMinutes(): number {
    return this.totalDurationInMinutes;
  }
}

/** A call of the log, with the fields and getters of CometChat's CallLog. Times are epoch seconds. */
export class CallLog {
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

  constructor(call: LoggedCall) {
    this.rawData = call;
    this.sessionId = call.sessionId;
    this.mode = (call.receiverType as string) === "session" ? "meet" : "call";
    this.type = call.type;
    this.status = call.missed ? "missed" : call.status;
    this.receiverType = call.receiverType;
    this.initiator = new User(call.initiator);
    const { guid = "", session = guid, name } = call.receiver as { guid?: string; session?: string; name: string };
    this.receiver = "uid" in call.receiver ? new User(call.receiver) : new Group({ guid: session, name });
    this.initiatedAt = seconds(call.initiatedAt);
    this.startedAt = seconds(call.startedAt);
    this.endedAt = seconds(call.endedAt);
    this.totalDuration = clock(call.durationSeconds);
    this.totalDurationInMinutes = minutes(call.durationSeconds);
    this.totalParticipants = call.participants.length;
    const attended = new Map(call.participants.map((p) => [p.user.uid, p]));
    this.participants = call.members.map((m) => new CallLogParticipant(call, m, attended.get(m.user.uid)));
  }

  /** The field `sessionId`. */
  getSessionID(): string {
    return this.sessionId;
  }

  /** The field `mode`. */
  getMode(): string {
    return this.mode;
  }

  /** The field `type`. */
  getType(): string {
    return this.type;
  }

  /** The field `status`. */
  getStatus(): string {
    return this.status;
  }

  /** The field `receiverType`. */
  getReceiverType(): string {
    return this.receiverType;
  }

  /** The field `initiator`. */
  getInitiator(): User {
    return this.initiator;
  }

  /** The field `receiver`. */
  getReceiver(): User | Group {
    return this.receiver;
  }

  /** The field `initiatedAt`. */
  getInitiatedAt(): number {
    return this.initiatedAt;
  }

  /** The field `startedAt`. */
  getStartedAt(): number {
    return this.startedAt;
  }

  /** The field `endedAt`. */
  getEndedAt(): number {
    return this.endedAt;
  }

  /** The field `totalDuration`. */
  getTotalDuration(): string {
    return this.totalDuration;
  }

  /** The field `totalDurationInMinutes`. */
  getTotalDurationInMinutes(): number {
    return this.totalDurationInMinutes;
  }

  /** The field `totalParticipants`. */
  getTotalParticipants(): number {
    return this.totalParticipants;
  }

  /** The field `participants`. */
  getParticipants(): CallLogParticipant[] {
    return this.participants;
  }

  /** False: recordings are not made here. */
  isRecorded(): boolean {
    return this.hasRecording;
  }
}

/** What the log is asked for; `nothing` when it is for what no Parley call has. */
interface Wish {
  filter: CallLogFilter;
  nothing: boolean;
}

/** Reads the log page by page. */
export class CallLogRequest {
  readonly #wish: Wish;
  readonly #need: () => Parley;
  /** The cursors of the pages up to the one that was fetched last. */
  #cursors: (string | undefined)[] = [];
  #next: string | undefined;
  #ended = false;

  /** @internal */
  constructor(wish: Wish, need: () => Parley) {
    this.#wish = wish;
    this.#need = need;
  }

  /** The next page; empty when there are no more. */
  async fetchNext(): Promise<CallLog[]> {
    if (this.#ended) return [];
    const calls = await this.#fetch(this.#next);
    this.#cursors.push(this.#next);
    this.#next = this.#following;
    this.#ended = this.#next === undefined;
    return calls;
  }

  /** The page before the one that was fetched last; empty before the first. */
  async fetchPrevious(): Promise<CallLog[]> {
    if (this.#cursors.length < 2) return [];
    const calls = await this.#fetch(this.#cursors.at(-2));
    this.#cursors.pop();
    this.#next = this.#following;
    this.#ended = false;
    return calls;
  }

  #following: string | undefined;

  async #fetch(cursor: string | undefined): Promise<CallLog[]> {
    try {
      const client = this.#need();
      if (this.#wish.nothing) return [];
      const page = await client.calls.history({ ...this.#wish.filter, ...(cursor === undefined ? {} : { cursor }) });
      this.#following = page.next;
      return page.calls.map((call) => new CallLog(call));
    } catch (error) {
      throw CometChatException.from(error);
    }
  }
}

/** CometChat's builder of a request for the call log. Filters for what Parley does not have find nothing. */
export class CallLogRequestBuilder {
  /** @internal Set by the entry point: the signed-in client. */
  static need: () => Parley = () => {
    throw new CometChatException({ code: "ERROR_NO_USER_LOGGED_IN", message: "Log in first." });
  };
  readonly #filter: CallLogFilter = {};
  #nothing = false;

  /** Calls of a page: 1–100, 30 if it is not set. */
  setLimit(limit: number): this {
    this.#filter.limit = Math.min(Math.max(1, Math.floor(limit)), 100);
    return this;
  }

  /** `audio` or `video` calls only. */
  setCallType(type: string): this {
    this.#filter.type = type as NonNullable<CallLogFilter["type"]>;
    return this;
  }

  /** ongoing, busy, rejected, cancelled, ended, missed, and the other statuses of Parley. */
  setCallStatus(status: string): this {
    this.#filter.status = (status === "canceled" ? "cancelled" : status) as NonNullable<CallLogFilter["status"]>;
    return this;
  }

  /** `incoming` or `outgoing` calls only. */
  setCallDirection(direction: string): this {
    this.#filter.direction = direction as NonNullable<CallLogFilter["direction"]>;
    return this;
  }

  /** `meet` finds sessions that nobody was called to; `call` finds them, too. */
  setCallCategory(category: string): this {
    if (category === "meet") this.#filter.receiverType = "session";
    else this.#nothing ||= category !== "call";
    return this;
  }

  /** Calls with this other user only. */
  setUid(uid: string): this {
    this.#filter.uid = uid;
    return this;
  }

  /** Calls of this group only. */
  setGuid(guid: string): this {
    this.#filter.guid = guid;
    return this;
  }

  /** Recordings are not made here: true finds nothing. */
  setHasRecording(wanted: boolean): this {
    this.#nothing ||= wanted;
    return this;
  }

  /** Transcriptions are not made here: true finds nothing. */
  setHasTranscriptions(wanted: boolean): this {
    this.#nothing ||= wanted;
    return this;
  }

  /** Being signed in is enough here. */
  setAuthToken(_token: string): this {
    return this;
  }

  /** The request, before its first page. */
  build(): CallLogRequest {
    return new CallLogRequest({ filter: { ...this.#filter }, nothing: this.#nothing }, () => CallLogRequestBuilder.need());
  }
}
