import { codeOf, Emitter, isOver } from "../sdk/index.js";
import type { Call, CallType, EnterOptions, JoinOptions, Parley, ReceiverType, Session } from "../sdk/index.js";

/** Who is called, and how. */
export interface PlaceOptions {
  /** Default `video`. */
  type?: CallType;
  /** Default `user`. */
  receiverType?: Extract<ReceiverType, "user" | "group">;
  /** 5–300 seconds, default 45. */
  timeoutSeconds?: number;
  /** Handed to everybody in the call. */
  metadata?: unknown;
  /** How this device joins. */
  join?: JoinOptions;
}

/** The call that this device is in. */
export interface Line {
  /** `calling`: it rings at the other side. `joining`: accepted here, media is being set up. `talking`: accepted. */
  phase: "calling" | "joining" | "talking";
  type: CallType;
  /** Null until the server has answered the first request. */
  call: Call | null;
  /** The media of the call; null until it is joined. */
  session: Session | null;
}

/** How the last call of this device ended. */
export interface Ended {
  /** A status of the call, a reason of docs/protocol.md, `answered_elsewhere`, or `failed`. */
  reason: string;
  /** Null for a call that the server did not even take. */
  call: Call | null;
  /** What failed, for `failed`. */
  error?: unknown;
}

/** What a phone shows. It is a new object after every change and never changes itself. */
export interface PhoneState {
  ringing: readonly Call[];
  line: Line | null;
  ended: Ended | null;
}

/**
 * Which calls ring on this device, which one is open, and what is done with them. Its actions never reject: what fails is in
 * `state.ended`. Provider and hooks share one per client.
 */
export class Phone extends Emitter<{ changed: PhoneState }> {
  #client: Parley;
  #state: PhoneState = { ringing: [], line: null, ended: null };
  /** Counts the lines that were opened, so that an answer for one that is gone is known as such. */
  #turn = 0;
  #users = 0;
  #offs: (() => void)[] = [];

  constructor(client: Parley) {
    super();
    this.#client = client;
  }

  /** What rings and what is open, now. */
  get state(): PhoneState {
    return this.#state;
  }

  /** Listens to the client until every caller has called the function that it got. */
  listen(): () => void {
    if (this.#users++ === 0) this.#start();
    let done = false;
    return () => {
      if (done) return;
      done = true;
      if (--this.#users > 0) return;
      this.#offs.forEach((off) => off());
      this.#offs = [];
    };
  }

  /** Calls somebody. */
  async place(receiverId: string, options: PlaceOptions = {}): Promise<void> {
    const { join, receiverType = "user", type = "video", ...rest } = options;
    if (this.#state.line) return;
    const turn = this.#open({ phase: "calling", type, call: null, session: null });
    try {
      const call = await this.#client.calls.initiate({ receiverId, receiverType, type, ...rest });
      if (turn !== this.#turn) return void (await this.#client.calls.cancel(call.sessionId).catch(() => {}));
      this.#change(turn, { call });
      if (isOver(call.status)) return this.#finish(turn, call.status);
    } catch (error) {
      return this.#finish(turn, "failed", error);
    }
    // Joining while it rings has the media path ready when the other side accepts; nothing is forwarded before that.
    await this.#join(turn, join);
  }

  /** Takes a call that rings here; a call that is open is ended first. */
  async accept(call: Call, options: JoinOptions = {}): Promise<void> {
    this.#silence(call.sessionId);
    if (this.#state.line?.call?.sessionId === call.sessionId) return; // a second click
    if (this.#state.line) await this.hangUp();
    const turn = this.#open({ phase: "joining", type: call.type, call, session: null });
    try {
      const accepted = await this.#client.calls.accept(call.sessionId);
      if (turn !== this.#turn) return void (await this.#client.calls.end(call.sessionId).catch(() => {}));
      this.#change(turn, { call: accepted });
    } catch (error) {
      return this.#finish(turn, "failed", error);
    }
    await this.#join(turn, options);
  }

  /** Goes into a session by its name, with no ring; a call that is open is ended first. */
  async enter(name: string, options: EnterOptions = {}): Promise<void> {
    if (this.#state.line) await this.hangUp();
    const turn = this.#open({ phase: "joining", type: options.type ?? "video", call: null, session: null });
    await this.#settle(turn, this.#client.enter(name, options));
  }

  /** Declines a call that rings here. */
  async reject(call: Call, status: "rejected" | "busy" = "rejected"): Promise<void> {
    this.#silence(call.sessionId);
    await this.#client.calls.reject(call.sessionId, status).catch(() => {});
  }

  /** Cancels, ends or leaves the open call; the line is free at once, whatever the network does. */
  async hangUp(options: { forAll?: boolean } = {}): Promise<void> {
    const { line } = this.#state;
    if (!line) return;
    this.#finish(this.#turn, line.phase === "calling" ? "cancelled" : "hangup");
    if (!line.call) return;
    const { sessionId, receiverType } = line.call;
    const { calls } = this.#client;
    // A session that is entered by its name goes on without us; finishing the line has left it.
    if (receiverType === "session" && !options.forAll) return;
    await (line.phase === "calling" ? calls.cancel(sessionId) : calls.end(sessionId, options)).catch(() => {});
  }

  /** Forgets how the last call ended. */
  dismiss(): void {
    if (this.#state.ended) this.#set({ ended: null });
  }

  #start(): void {
    const { calls } = this.#client;
    const over = (event: "rejected" | "unanswered" | "cancelled" | "ended") =>
      // One member's refusal leaves a group's call as it is.
      calls.on(event, ({ call }) => isOver(call.status) && this.#over(call, (call.status === "ended" && call.reason) || call.status));
    this.#offs = [
      calls.on("incoming", ({ call }) => this.#ring(call)),
      calls.on("accepted", ({ call }) => this.#accepted(call)),
      over("rejected"),
      over("unanswered"),
      over("cancelled"),
      over("ended"),
      calls.on("answeredElsewhere", ({ call }) => this.#over(call, "answered_elsewhere")),
      calls.on("declinedElsewhere", ({ call }) => this.#over(call, "declined_elsewhere")),
      calls.on("missed", ({ call }) => this.#silence(call.sessionId)),
      calls.on("member", ({ call }) => {
        if (this.#state.line?.call?.sessionId === call.sessionId) this.#change(this.#turn, { call });
      }),
    ];
    // A client that was connected before anybody listened may have been ringing for a while.
    if (this.#client.state === "connected") void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const found = await this.#client.calls.active().catch(() => []);
    const mine = (call: Call) => call.members.find(({ user }) => user.uid === this.#client.user?.uid)?.state;
    if (this.#users > 0) found.filter((call) => mine(call) === "ringing").forEach((call) => this.#ring(call));
  }

  #ring(call: Call): void {
    const { ringing } = this.#state;
    if (call.initiator.uid === this.#client.user?.uid || ringing.some((other) => other.sessionId === call.sessionId)) return;
    this.#set({ ringing: [...ringing, call] });
  }

  #silence(sessionId: string): void {
    const { ringing } = this.#state;
    if (ringing.some((call) => call.sessionId === sessionId)) this.#set({ ringing: ringing.filter((call) => call.sessionId !== sessionId) });
  }

  #accepted(call: Call): void {
    const { line } = this.#state;
    if (line?.call?.sessionId === call.sessionId) this.#change(this.#turn, { call, phase: "talking" });
  }

  #over(call: Call, reason: string): void {
    this.#silence(call.sessionId);
    if (this.#state.line?.call?.sessionId !== call.sessionId) return;
    this.#change(this.#turn, { call });
    this.#finish(this.#turn, reason);
  }

  async #join(turn: number, options: JoinOptions | undefined): Promise<void> {
    const sessionId = this.#state.line?.call?.sessionId;
    if (turn === this.#turn && sessionId) await this.#settle(turn, this.#client.join(sessionId, options));
  }

  async #settle(turn: number, joining: Promise<Session>): Promise<void> {
    let session: Session;
    try {
      session = await joining;
    } catch (error) {
      // A call that ended meanwhile says so by its own event.
      if (!["ERR_CALL_TERMINATED", "CLOSED"].includes(codeOf(error))) this.#fail(turn, error);
      return;
    }
    if (turn !== this.#turn) return session.leave();
    session.on("closed", ({ call, reason }) => {
      this.#change(turn, { call });
      this.#finish(turn, reason);
    });
    const going = this.#state.line?.phase !== "calling" || session.call.status === "ongoing";
    this.#change(turn, { session, call: session.call, type: session.call.type, phase: going ? "talking" : "calling" });
    if (session.state === "closed") this.#finish(turn, session.call.reason || session.call.status);
  }

  /** Something of ours failed: the other side must not be left hanging. */
  #fail(turn: number, error: unknown): void {
    if (turn !== this.#turn) return;
    const { line } = this.#state;
    const { calls } = this.#client;
    if (line?.call) void (line.phase === "calling" ? calls.cancel : calls.end).call(calls, line.call.sessionId).catch(() => {});
    this.#finish(turn, "failed", error);
  }

  #open(line: Line): number {
    this.#set({ line, ended: null });
    return ++this.#turn;
  }

  #change(turn: number, change: Partial<Line>): void {
    const { line } = this.#state;
    if (turn === this.#turn && line) this.#set({ line: { ...line, ...change } });
  }

  #finish(turn: number, reason: string, error?: unknown): void {
    const { line } = this.#state;
    if (turn !== this.#turn || !line) return;
    this.#turn++;
    this.#set({ line: null, ended: error === undefined ? { reason, call: line.call } : { reason, call: line.call, error } });
    void line.session?.leave();
  }

  #set(change: Partial<PhoneState>): void {
    this.#state = { ...this.#state, ...change };
    this.emit("changed", this.#state);
  }
}

const phones = new WeakMap<Parley, Phone>();

/** The one phone of a client. */
export function phoneOf(client: Parley): Phone {
  let phone = phones.get(client);
  if (!phone) phones.set(client, (phone = new Phone(client)));
  return phone;
}
