import { Audience } from "./audience.js";
import { Controls } from "./controls.js";
import { formatMessage, parseMessage } from "./data.js";
import { Emitter } from "./emitter.js";
import { endByRefusal, endOf } from "./endings.js";
import { ParleyError } from "./errors.js";
import { randomId } from "./ids.js";
import { LocalParticipant, type RemoteParticipant } from "./participants.js";
import { Link } from "./link.js";
import { News } from "./news.js";
import { Order } from "./order.js";
import { Playback } from "./playback.js";
import { EVERYTHING, type SessionRights } from "./rights.js";
import { isOver } from "./snapshot.js";
import { Stage } from "./stage.js";
import { readStats, type SessionStats } from "./stats.js";
import type { JoinResult, SessionConfig } from "./session-config.js";
import type { Devices, SessionEvents, SessionState, SlotWish } from "./session-types.js";
import type { Call, Source } from "./types.js";

/**
 * How long the first offer waits for devices. A camera may take a second to open, and a permission question minutes: the
 * connection is made meanwhile, and the others' pictures are there sooner. What opens later starts out as muted.
 */
const DEVICE_WAIT_MS = 100;
/** How long the end of a call is given to arrive as the end of its session. */
const CLOSE_WAIT_MS = 2_000;

/**
 * The media of one call on this device: who is there, what they send, what this device sends. It repairs its connection by
 * itself and says so; it ends once, with `closed`, whatever the reason.
 */
export class Session extends Emitter<SessionEvents> {
  /** This device's own part. */
  readonly local: LocalParticipant;
  #config: SessionConfig;
  #sessionId: string;
  #call: Call | null = null;
  #rights = EVERYTHING;
  #state: SessionState = "connecting";
  #controls: Controls;
  #stage: Stage;
  #link: Link;
  #playback: Playback;
  #audience: Audience;
  #order: Order;
  #news: News;
  #failed: ((error: ParleyError) => void) | null = null;

  /** @internal Made by Parley.join. */
  constructor(config: SessionConfig) {
    super();
    this.#config = config;
    this.#sessionId = "sessionId" in config.place ? config.place.sessionId : "";
    this.local = new LocalParticipant(config.user);
    this.#playback = new Playback(config.options.devices?.speakerId, (blocked) => this.emit("playbackBlocked", { blocked }));
    this.#controls = new Controls({
      me: this.local,
      options: config.options,
      may: (source) => this.#rights.publish.includes(source),
      changed: (source, on) => this.emit("localChanged", { source, on }),
      failed: (source, error) => this.emit("mediaError", { source, error }),
      sync: () => this.#link.syncTracks(),
      unpublish: (sources) => this.#link.unpublish(sources),
    });
    const sessionId = () => this.#sessionId;
    this.#link = new Link({
      get sessionId() {
        return sessionId();
      },
      options: config.options,
      request: config.request,
      online: config.online,
      join: () => this.#join(),
      outgoing: () => this.#controls.outgoing(),
      connected: () => this.#setState("connected"),
      lost: (reason) => {
        this.#setState("reconnecting");
        this.emit("connectionLost", { reason });
      },
      restored: () => this.emit("connectionRestored", {}),
      failed: (error) => {
        const { reason, call } = endByRefusal(error);
        this.end(reason, call);
      },
      renewed: () => this.#stage.refresh(),
      probe: config.probe,
      message: (text) => this.#message(text),
    });
    this.#stage = new Stage((pair) => this.#link.receivers(pair));
    this.#audience = new Audience({
      videos: () => this.#stage.videos(),
      online: config.online,
      peer: () => this.#link.peer,
      request: (method, params) => config.request(method, { sessionId: this.sessionId, ...params }),
    });
    this.#order = new Order({
      local: this.local,
      others: () => this.#stage.participants,
      request: (method, params) => config.request(method, { sessionId: this.sessionId, ...params }),
      mutate: (method, params) => this.#mutate(method, params),
      changed: (change) => this.emit("handChanged", change),
    });
    this.#news = new News({
      local: this.local,
      stage: this.#stage,
      link: this.#link,
      order: this.#order,
      controls: this.#controls,
      closed: (reason, call) => this.end(reason, call),
      emit: (event, payload) => this.emit(event, payload),
    });
    this.#stage.on("arranged", () => this.#audience.changed());
    const events = ["participantJoined", "participantLeft", "participantUpdated", "trackAdded", "trackRemoved", "qualityChanged", "videoPaused"] as const;
    for (const event of events) {
      this.#stage.on(event, (payload) => this.emit(event, payload as never));
    }
  }

  /** The id of the call, which another session of the same name does not have. Known as soon as `join` or `enter` has resolved. */
  get sessionId(): string {
    return this.#sessionId;
  }

  /** Where the session stands; `closed` is final. */
  get state(): SessionState {
    return this.#state;
  }

  /** The call as the server last described it. Known as soon as `join` has resolved. */
  get call(): Call {
    if (!this.#call) throw new ParleyError("NOT_JOINED", "The session is not joined yet.");
    return this.#call;
  }

  /** What this device may do here; every source and no moderating until it is joined. */
  get rights(): SessionRights {
    return this.#rights;
  }

  /** Who has a hand up, the longest first; this device, too. */
  get hands(): readonly (RemoteParticipant | LocalParticipant)[] {
    return this.#order.hands;
  }

  /** @internal Whether the call is known. */
  get joined(): boolean {
    return this.#call !== null;
  }

  /** Everybody else who is in the session. */
  get participants(): readonly RemoteParticipant[] {
    return this.#stage.participants;
  }

  /** The devices that were chosen. */
  get devices(): Readonly<Devices> {
    return this.#controls.devices;
  }

  /** The PeerConnection in use, for diagnosis; it changes with a rejoin. */
  get peerConnection(): RTCPeerConnection | null {
    return this.#link.peer?.connection ?? null;
  }

  /** @internal Joins and negotiates; resolves after the first answer. */
  async start(): Promise<void> {
    const { options, callType, asksRights } = this.#config;
    const known = asksRights ? undefined : options.video ?? (callType ? callType === "video" : undefined);
    const early = known === undefined ? undefined : this.#controls.open(known);
    const closed = new Promise<never>((_, reject) => (this.#failed = reject));
    closed.catch(() => {});
    try {
      await Promise.race([closed, this.#link.open(async () => {
        const devices = early ?? this.#controls.open(options.video ?? this.call.type === "video");
        await Promise.race([devices, new Promise((done) => setTimeout(done, DEVICE_WAIT_MS))]);
      })]);
    } catch (error) {
      if (this.#state !== "closed") {
        if (this.#call) void this.leave();
        else this.end("failed");
      }
      throw error;
    } finally {
      this.#failed = null;
    }
  }

  /** Mutes or unmutes the microphone; opens or publishes it first where needed. */
  setMicrophone(on: boolean): Promise<void> {
    return this.#controls.turn("microphone", on);
  }

  /** Turns the camera on or off; off closes the device, so that its light goes out. */
  setCamera(on: boolean): Promise<void> {
    return this.#controls.turn("camera", on);
  }

  /** Asks the user for a screen or window and shares it, with its sound where the browser offers that. */
  shareScreen(options: { audio?: boolean } = {}): Promise<void> {
    return this.#controls.shareScreen(options.audio ?? true);
  }

  /** Ends the screen share. */
  stopScreenShare(): Promise<void> {
    return this.#controls.stopScreenShare();
  }

  /** Raises this device's hand, for everybody to see. */
  raiseHand(): Promise<void> {
    return this.#order.raise(true);
  }

  /** Lowers this device's hand; a moderator may name somebody else's. */
  lowerHand(participantId?: string): Promise<void> {
    return this.#order.raise(false, participantId);
  }

  /** Asks somebody's client to mute what they publish, for moderators. They may unmute it again. */
  muteParticipant(participantId: string, source: Source = "microphone"): Promise<void> {
    return this.#order.mute(participantId, source);
  }

  /** Puts somebody out of the call for good, for moderators. */
  expel(participantId: string): Promise<void> {
    return this.#order.expel(participantId);
  }

  /** Ends the call for everybody, for moderators; this session closes by itself. */
  async endForAll(): Promise<void> {
    await this.#config.endForAll(this.#sessionId);
  }

  /** Uses another microphone. */
  switchMicrophone(deviceId: string): Promise<void> {
    return this.#controls.switchTo("microphone", deviceId);
  }

  /** Uses another camera; without an id, the next one that there is. */
  async switchCamera(deviceId?: string): Promise<void> {
    const id = deviceId ?? (await this.#controls.nextCamera());
    if (id) await this.#controls.switchTo("camera", id);
  }

  /** Plays the session through another speaker, where the browser can. Concerns elements given to `attach`. */
  async switchSpeaker(deviceId: string): Promise<void> {
    this.#controls.devices.speakerId = deviceId;
    await this.#playback.setSpeaker(deviceId);
  }

  /** Plays a participant's stream through an element, also after the browser first refused; gives back the undo. */
  attach(element: HTMLMediaElement, stream: MediaStream): () => void {
    const unwatch = this.#audience.watch(element, stream);
    const detach = this.#playback.attach(element, stream);
    return () => {
      unwatch();
      detach();
    };
  }

  /**
   * Says what can be used of somebody's camera or screen: for applications that draw it themselves, and to pause or pin one. What
   * a wish leaves out is found out from the elements that were given to `attach`; null takes it back.
   */
  setSlotWish(participantId: string, source: "camera" | "screen", wish: SlotWish | null): void {
    this.#audience.say(participantId, source, wish);
  }

  /** The participant id of who spoke last, this device's own too; "" until somebody has. */
  get speakerId(): string {
    return this.#news.speakerId;
  }

  /** Starts playing what the browser refused to; call it from a click. */
  resumePlayback(): Promise<void> {
    return this.#playback.resume();
  }

  /**
   * Sends JSON to everybody in the session, or to `to`. What cannot go at once, because the data channel is not open yet or the
   * session is being repaired, waits and keeps its order: up to 64 messages and 256 KiB, beyond which this throws
   * `DATA_QUEUE_FULL`. False if the message is over 16 KiB or the session is over.
   */
  sendData(message: { topic: string; payload: unknown; to?: string[] }): boolean {
    return this.#link.send(formatMessage(message));
  }

  /** What is sent and received, per track. */
  async getStats(): Promise<SessionStats> {
    return readStats(this.#link.peer, this.local.participantId, this.#stage.ownerOf);
  }

  /** Restarts ICE now; the session does this by itself when it loses its connection. */
  restartIce(): void {
    this.#link.restart();
  }

  /** Leaves: devices close at once, the server is told. A call of two ends with it. */
  async leave(): Promise<void> {
    if (this.#state === "closed") return;
    this.end("left");
    if (this.#sessionId) await this.#mutate("session.leave", {}).catch(() => {});
  }

  /** @internal Ends the session on this device. */
  end(reason: string, call?: Call): void {
    if (this.#state === "closed") return;
    if (call) this.#call = call;
    this.#setState("closed");
    this.#link.close();
    this.#stage.close();
    this.#controls.close();
    this.#playback.close();
    this.#audience.close();
    this.#failed?.(new ParleyError("CLOSED", `The session has ended: ${reason}.`, "", { reason }));
    if (this.#call) this.emit("closed", { reason, call: this.#call });
  }

  /** @internal The call of this session has changed. */
  callChanged(call: Call): void {
    this.#call = call;
    if (isOver(call.status)) setTimeout(() => this.end(endOf(call), call), CLOSE_WAIT_MS);
  }

  /** @internal The socket is back. Without a resume the server may have forgotten this session, or gone on without it. */
  signalingRestored(resumed: boolean, call?: Call): void {
    if (this.#news.waiting || this.#state === "closed") return;
    if (resumed) this.#link.signalingRestored();
    else if (!call) this.end("lost");
    else if (isOver(call.status)) this.end(endOf(call), call);
    else this.#link.rejoin();
  }

  /** @internal Takes a `session.*` event. */
  hear(name: string, data: unknown): void {
    if (this.#news.waiting && name !== "closed") this.#news.keep(this.#sessionId, name, data);
    else this.#news.hear(name, data);
  }

  /** @internal Takes one that may be of this session, of which only the name is known so far. */
  hearEarly(sessionId: string, name: string, data: unknown): void {
    this.#news.keep(sessionId, name, data);
  }

  async #join(): Promise<JoinResult> {
    this.#news.wait();
    const again = this.#call !== null;
    const result = await this.#ask();
    this.#sessionId = result.call.sessionId;
    if (this.#state === "closed") {
      void this.#mutate("session.leave", {}).catch(() => {});
      throw new ParleyError("CLOSED", "The session was left meanwhile.");
    }
    this.#call = result.call;
    this.#rights = result.rights ?? EVERYTHING;
    this.local.participantId = result.participantId;
    this.#config.joined(result.call);
    this.#audience.reset();
    this.#stage.reset(result.participants.filter((p) => p.participantId !== result.participantId));
    this.#news.release(this.#sessionId);
    if (again) this.#order.joinedAgain();
    return result;
  }

  /** Joins the call; a session that was entered is one from then on, also when it has to be joined again. */
  #ask(): Promise<JoinResult> {
    const { place, options } = this.#config;
    const { takeover, type, metadata } = options;
    if ("sessionId" in place || this.#call) return this.#mutate("session.join", { takeover });
    return this.#config.mutate("session.enter", { session: place.name, type, metadata, takeover, mutationId: randomId("m_") });
  }

  #mutate<T>(method: string, params: object): Promise<T> {
    return this.#config.mutate<T>(method, { sessionId: this.#sessionId, ...params, mutationId: randomId("m_") });
  }

  #message(text: string): void {
    const message = parseMessage(text);
    if (message) this.emit("data", { ...message, from: this.#stage.get(message.participantId) });
  }

  #setState(state: SessionState): void {
    const previous = this.#state;
    if (previous === state || previous === "closed") return;
    this.#state = state;
    this.emit("stateChanged", { state, previous });
  }
}
