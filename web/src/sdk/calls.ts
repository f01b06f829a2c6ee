import type { CallLogFilter, CallLogPage } from "./call-log.js";
import { CallBook } from "./callbook.js";
import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { randomId } from "./ids.js";
import type { Call, CallEvent, CallEvents, InitiateOptions } from "./types.js";

const eventTypes: ReadonlySet<string> = new Set<keyof CallEvents>([
  "incoming",
  "outgoing",
  "outgoingOver",
  "accepted",
  "answeredElsewhere",
  "rejected",
  "declinedElsewhere",
  "cancelled",
  "unanswered",
  "missed",
  "ended",
  "member",
]);

/** What Calls needs of the client that it belongs to. */
interface Owner {
  connection: Connection;
  /** Sends a mutation; renews the token first when it has run out. */
  mutate<T>(method: string, params: object): Promise<T>;
  /** This device is out of a call that it ended or left itself. */
  leftCall(call: Call): void;
}

/**
 * Making and taking calls. Methods resolve with the call as it is then, and reject with a ParleyError whose code is the
 * server's; an action repeated after it has taken effect is no error.
 */
export class Calls extends Emitter<CallEvents> {
  #owner: Owner;
  #book = new CallBook();

  /** @internal */
  constructor(owner: Owner) {
    super();
    this.#owner = owner;
  }

  /** Rings a user or a group. */
  async initiate(options: InitiateOptions): Promise<Call> {
    const { receiverId, receiverType, type, timeoutSeconds, metadata } = options;
    const call = await this.#change("call.initiate", { receiverId, receiverType, type, timeoutSeconds, metadata });
    this.#book.note(call, { startedHere: true });
    return call;
  }

  /** Takes a call that rings here. Join its session next. */
  async accept(sessionId: string, options: { takeover?: boolean } = {}): Promise<Call> {
    const call = await this.#change("call.accept", { sessionId, takeover: options.takeover });
    this.#book.note(call, { takenHere: true });
    return call;
  }

  /** Declines a call that rings here; `busy` (one to one only) tells the caller that you are in another call. */
  reject(sessionId: string, status: "rejected" | "busy" = "rejected"): Promise<Call> {
    return this.#change("call.reject", { sessionId, status });
  }

  /** Gives up a call of yours that still rings. */
  async cancel(sessionId: string): Promise<Call> {
    const call = await this.#change("call.cancel", { sessionId });
    this.#owner.leftCall(call);
    return call;
  }

  /**
   * Hangs up: ends a call of two, leaves a group call. `forAll` ends a group call for everybody, for those who may. The
   * session of this device closes by itself. Ending a call that is over gives its final state.
   */
  async end(sessionId: string, options: { forAll?: boolean } = {}): Promise<Call> {
    const call = await this.#change("call.end", { sessionId, forAll: options.forAll });
    this.#owner.leftCall(call);
    return call;
  }

  /** One call of this user, also one that is over. */
  async get(sessionId: string): Promise<Call> {
    return (await this.#owner.connection.request<{ call: Call }>("call.get", { sessionId })).call;
  }

  /** This user's calls that are not over. */
  async active(): Promise<Call[]> {
    return (await this.#owner.connection.request<{ calls: Call[] }>("call.active", {})).calls;
  }

  /** A page of this user's call log, newest first; calls that go on are among them. */
  history(filter: CallLogFilter = {}): Promise<CallLogPage> {
    return this.#owner.connection.request<CallLogPage>("call.history", filter);
  }

  /** A call that is not over, as this device last heard of it. */
  known(sessionId: string): Call | undefined {
    return this.#book.get(sessionId)?.call;
  }

  /** @internal Takes a `call.*` event of the server. */
  hear(type: string, data: unknown): void {
    const name = type.slice("call.".length);
    if (!eventTypes.has(name)) return; // of a newer server
    this.#book.note((data as CallEvent).call);
    this.emit(name as keyof CallEvents, data as never);
  }

  /** @internal Takes the calls of a connection that was not resumed, and raises what was missed. */
  reconcile(me: string, snapshot: Call[], since: number | undefined): void {
    for (const { type, payload } of this.#book.reconcile(me, snapshot, since)) this.emit(type, payload as never);
  }

  /** @internal This device has a place in the session of a call. */
  joined(call: Call): void {
    this.#book.note(call, { takenHere: true });
  }

  async #change(method: string, params: object): Promise<Call> {
    const { call } = await this.#owner.mutate<{ call: Call }>(method, { ...params, mutationId: randomId("m_") });
    this.#book.note(call);
    return call;
  }
}
