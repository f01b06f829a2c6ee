// The phone: which calls ring here, which one is open, and what the user does with them. It talks to the SDK; views listen.

import {
  codeOf, Emitter, ParleyError,
  type Call, type CallEvent, type CallType, type JoinOptions, type Parley, type Session, type User,
} from "../sdk/index.js";
import { meetingName, peerOf } from "./history.js";
import { preferences } from "./preferences.js";
import type { Wish } from "./pushed.js";

/** The call that is open on this page. */
export interface Line {
  type: CallType;
  peer: { id: string; name: string; avatar: string; group: boolean };
  /** calling: it rings at the other side. joining: accepted here, media is being set up. talking: accepted. */
  phase: "calling" | "joining" | "talking";
  /** Absent until the server has answered the first request. */
  call?: Call;
  session?: Session;
  /** The name of the session that this is, when nobody was rung for it. */
  meeting?: string;
}

export interface PhoneEvents {
  /** The calls that ring here changed. */
  ringing: { calls: readonly Call[] };
  /** The open call appeared, changed phase, got its session, or went away. */
  line: { line: Line | undefined };
  /** The open call is over; error is set when something failed rather than ended. */
  finished: { line: Line; reason: string; error?: unknown };
  /** A call to this user is over without having been open here. */
  passed: { call: Call; reason: string };
  missed: { call: Call };
  /** The calls of this user that go on without this page may have changed. */
  elsewhere: Record<string, never>;
}

export class Phone extends Emitter<PhoneEvents> {
  private calls: Call[] = [];
  private open: Line | undefined;

  constructor(
    private readonly client: Parley,
    readonly me: User,
  ) {
    super();
    const calls = client.calls;
    calls.on("incoming", ({ call }) => this.ring(call));
    calls.on("accepted", (event) => this.accepted(event));
    for (const name of ["rejected", "unanswered", "ended", "cancelled"] as const) {
      calls.on(name, ({ call }) => {
        // One member's refusal leaves a group's call as it is.
        if (call.status === "initiated" || call.status === "ongoing") return;
        this.over(call, call.status === "ended" ? call.reason || "ended" : call.status);
      });
    }
    calls.on("answeredElsewhere", ({ call }) => this.over(call, "answered_elsewhere"));
    calls.on("declinedElsewhere", ({ call }) => this.over(call, "declined_elsewhere"));
    calls.on("missed", ({ call }) => {
      this.stopRinging(call.sessionId);
      this.emit("missed", { call });
    });
    calls.on("member", ({ call }) => {
      if (this.open?.call?.sessionId === call.sessionId) this.change(this.open, { call });
      this.emit("elsewhere", {});
    });
  }

  get ringing(): readonly Call[] {
    return this.calls;
  }

  get line(): Line | undefined {
    return this.open;
  }

  /** Calls somebody. The line is open at once; a refusal closes it and is thrown. */
  async dial(receiver: { id: string; name: string; avatar?: string }, receiverType: "user" | "group", type: CallType): Promise<void> {
    if (this.open) throw new ParleyError("ERR_CALL_BUSY_SELF", "You are in a call already.");
    const peer = { id: receiver.id, name: receiver.name || receiver.id, avatar: receiver.avatar ?? "", group: receiverType === "group" };
    const line = this.start({ type, peer, phase: "calling" });
    let call: Call;
    try {
      call = await this.client.calls.initiate({ receiverId: receiver.id, receiverType, type });
    } catch (error) {
      this.close(line);
      throw error;
    }
    // The user may have hung up while the server was still thinking.
    if (this.open !== line) {
      await this.client.calls.cancel(call.sessionId).catch(() => undefined);
      return;
    }
    this.change(line, { call, peer: peerOf(call, this.me.uid) });
    if (call.status !== "initiated" && call.status !== "ongoing") return this.over(call, call.status);
    // Joining while it rings has the media path ready when the other side accepts; nothing is forwarded before that.
    await this.join(line);
  }

  /** Accepts a ringing call; a call that is open is ended first. */
  async answer(call: Call, camera: boolean): Promise<void> {
    this.stopRinging(call.sessionId);
    if (this.open) await this.hangUp();
    const line = this.start({ type: call.type, peer: peerOf(call, this.me.uid), phase: "joining", call });
    try {
      const accepted = await this.client.calls.accept(call.sessionId);
      if (this.open !== line) {
        await this.client.calls.end(call.sessionId);
        return;
      }
      this.change(line, { call: accepted });
    } catch (error) {
      return this.fail(line, error);
    }
    await this.join(line, { video: camera });
  }

  async decline(call: Call): Promise<void> {
    this.stopRinging(call.sessionId);
    await this.client.calls.reject(call.sessionId);
    this.emit("passed", { call, reason: "rejected" });
  }

  /** Goes (back) into a call that is going on: after a reload, from another device, or a group's. */
  async enter(sessionId: string): Promise<void> {
    if (this.open) throw new ParleyError("ERR_CALL_BUSY_SELF", "You are in a call already.");
    let call = await this.client.calls.get(sessionId);
    this.stopRinging(sessionId);
    const meeting = "session" in call.receiver ? call.receiver.session : undefined;
    const line = this.start({ type: call.type, peer: peerOf(call, this.me.uid), phase: "joining", call, meeting });
    try {
      const mine = call.members.find((member) => member.user.uid === this.me.uid)?.state ?? "";
      if (!["calling", "accepted", "joined", "left"].includes(mine)) {
        call = await this.client.calls.accept(sessionId, { takeover: true });
        if (this.open === line) this.change(line, { call });
      }
    } catch (error) {
      this.close(line);
      throw error;
    }
    if (this.open === line) await this.join(line, { takeover: true });
  }

  /** Goes into a meeting by the name of its session; false if it was left meanwhile. A refusal closes the line and is thrown. */
  async meet(name: string, options: JoinOptions = {}): Promise<boolean> {
    if (this.open) throw new ParleyError("ERR_CALL_BUSY_SELF", "You are in a call already.");
    const peer = { id: name, name: meetingName(name), avatar: "", group: true };
    const line = this.start({ type: "video", peer, phase: "joining", meeting: name });
    try {
      await this.use(line, await this.client.enter(name, { devices: preferences().devices, ...options }));
    } catch (error) {
      if (this.open !== line) return false;
      this.close(line);
      throw error;
    }
    return this.open === line;
  }

  /** Ends, cancels or leaves the open call. The line closes at once, whatever the network does. */
  async hangUp(forAll = false): Promise<void> {
    const line = this.open;
    if (!line) return;
    this.close(line);
    this.emit("finished", { line, reason: line.phase === "calling" ? "cancelled" : "hangup" });
    if (!line.call) return;
    const { sessionId } = line.call;
    const request = line.phase === "calling" ? this.client.calls.cancel(sessionId) : this.client.calls.end(sessionId, { forAll });
    await request.catch(() => undefined);
    await line.session?.leave().catch(() => undefined);
    this.emit("elsewhere", {});
  }

  /** This user's calls that go on but are not open here. */
  async others(): Promise<Call[]> {
    const calls = await this.client.calls.active();
    const known = new Set([this.open?.call?.sessionId, ...this.calls.map((call) => call.sessionId)]);
    return calls.filter((call) => call.status === "ongoing" && !known.has(call.sessionId));
  }

  /** A call rings here. */
  ring(call: Call): void {
    if (call.initiator.uid === this.me.uid || this.calls.some((other) => other.sessionId === call.sessionId)) return;
    this.calls = [...this.calls, call];
    this.emit("ringing", { calls: this.calls });
  }

  /** Does what a notification was clicked for; false if the call does not ring here. */
  granted(wish: Wish, sessionId: string): boolean {
    const call = this.calls.find((other) => other.sessionId === sessionId);
    if (!call) return false;
    if (wish === "answer") void this.answer(call, call.type === "video");
    if (wish === "decline") void this.decline(call).catch(() => undefined);
    return true;
  }

  /**
   * The page was opened by the notification of a call: it rings here, or is answered at once. False if it rings for this user
   * no more.
   */
  async summoned(wish: Wish, sessionId: string): Promise<boolean> {
    const call = await this.client.calls.get(sessionId);
    const mine = call.members.find((member) => member.user.uid === this.me.uid);
    if (mine?.state !== "ringing") return false;
    this.ring(call);
    return this.granted(wish, sessionId);
  }

  private accepted({ call }: CallEvent): void {
    const line = this.open;
    if (!line || line.call?.sessionId !== call.sessionId || line.phase === "talking") return;
    this.change(line, { call, phase: "talking" });
  }

  /** A call is over, or is somebody else's now: it stops ringing here, and its line closes. */
  private over(call: Call, reason: string): void {
    if (this.stopRinging(call.sessionId)) this.emit("passed", { call, reason });
    const line = this.open;
    if (line?.call?.sessionId === call.sessionId) this.finish(line, reason, call);
    this.emit("elsewhere", {});
  }

  private async join(line: Line, options: JoinOptions = {}): Promise<void> {
    let session: Session;
    try {
      session = await this.client.join(line.call!.sessionId, { devices: preferences().devices, ...options });
    } catch (error) {
      // A call that ended meanwhile says so by its own event.
      if (codeOf(error) !== "ERR_CALL_TERMINATED") this.fail(line, error);
      return;
    }
    await this.use(line, session);
  }

  /** The line has its session. */
  private async use(line: Line, session: Session): Promise<void> {
    if (this.open !== line) {
      await session.leave().catch(() => undefined);
      return;
    }
    session.on("closed", ({ reason, call }) => {
      if (this.open === line) this.finish(line, reason, call);
    });
    const ongoing = line.phase === "joining" || session.call.status === "ongoing";
    this.change(line, { session, type: session.call.type, call: session.call, phase: ongoing ? "talking" : line.phase });
    if (session.state === "closed") this.finish(line, session.call.reason || session.call.status, session.call);
  }

  private start(line: Line): Line {
    this.open = line;
    this.emit("line", { line });
    return line;
  }

  private change(line: Line, change: Partial<Line>): void {
    Object.assign(line, change);
    if (this.open === line) this.emit("line", { line });
  }

  private close(line: Line): void {
    if (this.open !== line) return;
    this.open = undefined;
    this.emit("line", { line: undefined });
  }

  private finish(line: Line, reason: string, call: Call, error?: unknown): void {
    line.call = call;
    this.close(line);
    void line.session?.leave().catch(() => undefined);
    this.emit("finished", { line, reason, error });
  }

  /** Something of ours failed: the other side must not be left hanging. */
  private fail(line: Line, error: unknown): void {
    if (this.open !== line) return;
    const call = line.call!;
    const giveUp = line.phase === "calling" ? this.client.calls.cancel(call.sessionId) : this.client.calls.end(call.sessionId);
    void giveUp.catch(() => undefined);
    this.finish(line, "failed", call, error);
  }

  private stopRinging(sessionId: string): boolean {
    const left = this.calls.filter((call) => call.sessionId !== sessionId);
    if (left.length === this.calls.length) return false;
    this.calls = left;
    this.emit("ringing", { calls: left });
    return true;
  }
}
