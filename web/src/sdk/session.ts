import { Audience } from "./audience.js";
import { Controls } from "./controls.js";
import { formatMessage, parseMessage } from "./data.js";
import { Emitter } from "./emitter.js";
import { endByRefusal, endOf } from "./endings.js";
import { ParleyError } from "./errors.js";
import { randomId } from "./ids.js";
import { LocalParticipant, type RemoteParticipant } from "./participants.js";
import { Link, type JoinResult } from "./link.js";
import type { Peer } from "./peer.js";
import { Playback } from "./playback.js";
import { isOver } from "./snapshot.js";
import { Stage } from "./stage.js";
import { readStats, type SessionStats } from "./stats.js";
import type { SessionConfig } from "./session-config.js";
import type { Devices, SessionEvents, SessionState, SlotWish } from "./session-types.js";
import type { Call, ParticipantInfo, Quality } from "./types.js";

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
  readonly sessionId: string;
  /** This device's own part. */
  readonly local: LocalParticipant;
  #config: SessionConfig;
  #call: Call | null = null;
  #state: SessionState = "connecting";
  #controls: Controls;
  #stage: Stage;
  #link: Link;
  #playback: Playback;
  #audience: Audience;
  /** What came for this session before the answer to its join did. */
  #early: [name: string, data: unknown][] | null = [];
  #failed: ((error: ParleyError) => void) | null = null;
  #speakerId = "";

  /** @internal Made by Parley.join. */
  constructor(config: SessionConfig) {
    super();
    this.#config = config;
    this.sessionId = config.sessionId;
    this.local = new LocalParticipant(config.user);
    this.#playback = new Playback(config.options.devices?.speakerId, (blocked) => this.emit("playbackBlocked", { blocked }));
    this.#controls = new Controls({
      me: this.local,
      options: config.options,
      changed: (source, on) => this.emit("localChanged", { source, on }),
      failed: (source, error) => this.emit("mediaError", { source, error }),
      sync: () => this.#link.syncTracks(),
      unpublish: (sources) => this.#link.unpublish(sources),
    });
    this.#link = new Link({
      sessionId: config.sessionId,
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
    this.#stage.on("arranged", () => this.#audience.changed());
    const events = ["participantJoined", "participantLeft", "participantUpdated", "trackAdded", "trackRemoved", "qualityChanged", "videoPaused"] as const;
    for (const event of events) {
      this.#stage.on(event, (payload) => this.emit(event, payload as never));
    }
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
    const { options, callType } = this.#config;
    const known = options.video ?? (callType ? callType === "video" : undefined);
    const early = known === undefined ? undefined : this.#controls.open(known);
    const closed = new Promise<never>((_, reject) => (this.#failed = reject));
    closed.catch(() => {});
    try {
      await Promise.race([closed, this.#link.open(async () => {
        const devices = early ?? this.#controls.open(this.call.type === "video");
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
    return this.#speakerId;
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
    const params = { sessionId: this.sessionId, mutationId: randomId("m_") };
    await this.#config.mutate("session.leave", params).catch(() => {});
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
    if (this.#early || this.#state === "closed") return;
    if (resumed) this.#link.signalingRestored();
    else if (!call) this.end("lost");
    else if (isOver(call.status)) this.end(endOf(call), call);
    else this.#link.rejoin();
  }

  /** @internal Takes a `session.*` event. */
  hear(name: string, data: unknown): void {
    if (name === "closed") {
      const { reason, call } = data as { reason: string; call: Call };
      return this.end(reason, call);
    }
    if (this.#early) {
      // Slots and data follow an offer, so what comes for them now is about a PeerConnection that is given up.
      if (!name.startsWith("slot") && name !== "dataWaiting" && name !== "publish") this.#early.push([name, data]);
      return;
    }
    switch (name) {
      case "joined":
      case "updated":
        return this.#present((data as { participant: ParticipantInfo }).participant);
      case "left": {
        const { participantId, reason } = data as { participantId: string; reason: string };
        return this.#stage.left(participantId, reason);
      }
      case "slot":
        return this.#stage.slot(data as Parameters<Stage["slot"]>[0]);
      case "slotStarted":
        return this.#stage.slotStarted(data as Parameters<Stage["slotStarted"]>[0]);
      case "slotsNeeded":
        return this.#link.needPairs((data as { pairs: number }).pairs);
      case "codec":
        return this.#link.useCodec((data as { videoCodec: string }).videoCodec);
      case "dataWaiting":
        return this.#link.openData();
      case "publish":
        return this.#link.peer?.watched((data as { publications: Parameters<Peer["watched"]>[0] }).publications);
      case "slotPaused":
        return this.#stage.slotPaused(data as Parameters<Stage["slotPaused"]>[0]);
      case "speakers":
        return this.#speakers(data as { speaker: string; voices: string[] });
      case "quality":
        return this.#quality(data as Quality & { participantId: string });
    }
  }

  async #join(): Promise<JoinResult> {
    this.#early ??= [];
    const { sessionId, options } = this.#config;
    const result = await this.#config.mutate<JoinResult>("session.join", {
      sessionId,
      takeover: options.takeover,
      mutationId: randomId("m_"),
    });
    if (this.#state === "closed") {
      void this.#config.mutate("session.leave", { sessionId, mutationId: randomId("m_") }).catch(() => {});
      throw new ParleyError("CLOSED", "The session was left meanwhile.");
    }
    this.#call = result.call;
    this.local.participantId = result.participantId;
    this.#config.joined(result.call);
    this.#audience.reset();
    this.#stage.reset(result.participants.filter((p) => p.participantId !== result.participantId));
    const early = this.#early;
    this.#early = null;
    for (const [name, data] of early ?? []) this.hear(name, data);
    return result;
  }

  #present(info: ParticipantInfo): void {
    if (info.participantId === this.local.participantId) this.#link.ownPublications(info.publications);
    else this.#stage.joined(info);
  }

  #speakers({ speaker, voices }: { speaker: string; voices: string[] }): void {
    this.#speakerId = speaker;
    this.local.speaking = speaker === this.local.participantId;
    for (const participant of this.#stage.participants) participant.speaking = participant.participantId === speaker;
    this.emit("speakersChanged", { speaker: this.#stage.get(speaker), speakerId: speaker, voices });
  }

  #quality({ participantId, score, grade, cause }: Quality & { participantId: string }): void {
    const quality: Quality = { score, grade, cause };
    if (participantId !== this.local.participantId) return this.#stage.quality(participantId, quality);
    this.local.quality = quality;
    this.emit("qualityChanged", { participant: this.local, quality });
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
