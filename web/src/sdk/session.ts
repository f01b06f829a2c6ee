import { isGone } from "./calls.js";
import { Emitter } from "./emitter.js";
import { ParleyError, codeOf } from "./errors.js";
import { randomId } from "./ids.js";
import { LocalMedia } from "./local-media.js";
import { LocalParticipant, type RemoteParticipant } from "./participants.js";
import { Link, type JoinResult } from "./link.js";
import { Playback } from "./playback.js";
import { isOver } from "./snapshot.js";
import { Stage } from "./stage.js";
import { readStats, type SessionStats } from "./stats.js";
import type { DataMessage, Devices, JoinOptions, SessionEvents, SessionState } from "./session-types.js";
import type { Call, CallType, ParticipantInfo, Source, User } from "./types.js";

/**
 * How long the first offer waits for devices. A camera may take a second to open, and a permission question minutes: the
 * connection is made meanwhile, and the others' pictures are there sooner. What opens later starts out as muted.
 */
const DEVICE_WAIT_MS = 100;
/** How long the end of a call is given to arrive as the end of its session. */
const CLOSE_WAIT_MS = 2_000;

interface SessionConfig {
  sessionId: string;
  user: User;
  options: JoinOptions;
  /** Type of the call, where it is known already. */
  callType?: CallType;
  mutate<T>(method: string, params: object): Promise<T>;
  request<T>(method: string, params: object): Promise<T>;
  /** Whether signaling is up. */
  online(): boolean;
  joined(call: Call): void;
}

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
  #media: LocalMedia;
  #stage: Stage;
  #link: Link;
  #playback: Playback;
  /** What came for this session before the answer to its join did. */
  #early: [name: string, data: unknown][] | null = [];
  #chores: Promise<unknown> = Promise.resolve();
  #failed: ((error: ParleyError) => void) | null = null;

  /** @internal Made by Parley.join. */
  constructor(config: SessionConfig) {
    super();
    this.#config = config;
    this.sessionId = config.sessionId;
    this.local = new LocalParticipant(config.user);
    this.#playback = new Playback(config.options.devices?.speakerId, (blocked) => this.emit("playbackBlocked", { blocked }));
    this.#media = new LocalMedia(this.local, config.options.devices ?? {}, {
      changed: (source, on) => this.#state !== "closed" && this.emit("localChanged", { source, on }),
      failed: (source, error) => this.emit("mediaError", { source, error }),
      ended: (source) => void this.#deviceEnded(source),
    });
    this.#link = new Link({
      sessionId: config.sessionId,
      options: config.options,
      request: config.request,
      online: config.online,
      join: () => this.#join(),
      outgoing: () => this.#media.outgoing(),
      connected: () => this.#setState("connected"),
      lost: (reason) => {
        this.#setState("reconnecting");
        this.emit("connectionLost", { reason });
      },
      restored: () => this.emit("connectionRestored", {}),
      failed: (error) => this.end(this.#reasonOf(error)),
      renewed: () => this.#stage.refresh(),
      message: (text) => this.#message(text),
    });
    this.#stage = new Stage((pair) => this.#link.receivers(pair));
    for (const event of ["participantJoined", "participantLeft", "participantUpdated", "trackAdded", "trackRemoved"] as const) {
      this.#stage.on(event, (payload) => this.emit(event, payload as never));
    }
  }

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
    return this.#media.devices;
  }

  /** The PeerConnection in use, for diagnosis; it changes with a rejoin. */
  get peerConnection(): RTCPeerConnection | null {
    return this.#link.peer?.connection ?? null;
  }

  /** @internal Joins and negotiates; resolves after the first answer. */
  async start(): Promise<void> {
    const { options, callType } = this.#config;
    const known = options.video ?? (callType ? callType === "video" : undefined);
    const early = known === undefined ? undefined : this.#openDevices(known);
    const closed = new Promise<never>((_, reject) => (this.#failed = reject));
    closed.catch(() => {});
    try {
      await Promise.race([closed, this.#link.open(async () => {
        const devices = early ?? this.#openDevices(this.call.type === "video");
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
    return this.#inTurn(() => this.#turn("microphone", on));
  }

  /** Turns the camera on or off; off closes the device, so that its light goes out. */
  setCamera(on: boolean): Promise<void> {
    return this.#inTurn(() => this.#turn("camera", on));
  }

  /** Asks the user for a screen or window and shares it, with its sound where the browser offers that. */
  shareScreen(options: { audio?: boolean } = {}): Promise<void> {
    return this.#inTurn(async () => {
      if (this.local.screenOn) return;
      await this.#media.openScreen(options.audio ?? true);
      if (this.#state === "closed") return this.#media.close();
      try {
        await this.#link.syncTracks();
      } catch (error) {
        this.#link.unpublish(this.#media.closeScreen()).catch(() => {});
        throw error;
      }
    });
  }

  /** Ends the screen share. */
  stopScreenShare(): Promise<void> {
    return this.#inTurn(() => this.#link.unpublish(this.#media.closeScreen()));
  }

  /** Uses another microphone. */
  switchMicrophone(deviceId: string): Promise<void> {
    return this.#switch("microphone", deviceId);
  }

  /** Uses another camera; without an id, the next one that there is. */
  async switchCamera(deviceId?: string): Promise<void> {
    const id = deviceId ?? (await this.#media.nextCamera());
    if (id) await this.#switch("camera", id);
  }

  /** Plays the session through another speaker, where the browser can. Concerns elements given to `attach`. */
  async switchSpeaker(deviceId: string): Promise<void> {
    this.#media.devices.speakerId = deviceId;
    await this.#playback.setSpeaker(deviceId);
  }

  /** Plays a participant's stream through an element, also after the browser first refused; gives back the undo. */
  attach(element: HTMLMediaElement, stream: MediaStream): () => void {
    return this.#playback.attach(element, stream);
  }

  /** Starts playing what the browser refused to; call it from a click. */
  resumePlayback(): Promise<void> {
    return this.#playback.resume();
  }

  /** Sends JSON to everybody in the session, or to `to`. False if it cannot go now or is over 16 KiB. */
  sendData(message: { topic: string; payload: unknown; to?: string[] }): boolean {
    return this.#link.send(JSON.stringify({ to: message.to, topic: message.topic, payload: message.payload }));
  }

  /** What is sent and received, per track. */
  async getStats(): Promise<SessionStats> {
    const peer = this.#link.peer;
    if (!peer) return { sent: [], received: [], transport: null };
    return readStats(peer, this.local.participantId, this.#stage.ownerOf);
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
    this.#media.close();
    this.#playback.close();
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
      // Slots follow an offer, so what comes for them now is about a PeerConnection that is given up.
      if (!name.startsWith("slot")) this.#early.push([name, data]);
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

  async #openDevices(video: boolean): Promise<void> {
    const { audio = true, startAudioMuted: muted = false, startVideoPaused: paused = false } = this.#config.options;
    await this.#media.start({ audio, video, muted, paused });
    if (this.#state === "closed") return this.#media.close();
    // Devices that came after the first offer went out without them.
    await this.#link.syncTracks().catch(() => {});
  }

  async #turn(source: "microphone" | "camera", on: boolean): Promise<void> {
    if (this.#state === "closed") throw new ParleyError("CLOSED", "The session is closed.");
    if (on) await this.#media.enable(source);
    else this.#media.disable(source);
    if (on && this.state === ("closed" as SessionState)) return this.#media.close();
    await this.#link.syncTracks();
  }

  #switch(source: "microphone" | "camera", deviceId: string): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#media.switchTo(source, deviceId);
      } finally {
        await this.#link.syncTracks();
      }
    });
  }

  async #deviceEnded(source: Source): Promise<void> {
    if (source === "screen" || source === "screenAudio") return this.stopScreenShare().catch(() => {});
    this.emit("mediaError", { source, error: new ParleyError("MEDIA_NOT_FOUND", `The ${source} is gone.`) });
    await (source === "camera" ? this.setCamera(false) : this.setMicrophone(false)).catch(() => {});
  }

  /** One change of devices after the other. */
  #inTurn<T>(chore: () => Promise<T>): Promise<T> {
    const done = this.#chores.then(chore);
    this.#chores = done.catch(() => {});
    return done;
  }

  #message(text: string): void {
    try {
      const { from, topic, payload } = JSON.parse(text) as { from: string; topic: string; payload: unknown };
      const message: DataMessage = { from: this.#stage.get(from), participantId: from, topic, payload };
      this.emit("data", message);
    } catch {
      // Not JSON: nothing that a client of this protocol sent.
    }
  }

  #reasonOf(error: unknown): string {
    if (codeOf(error) === "ERR_CALL_USER_ALREADY_JOINED") return "taken_over";
    if (!isGone(error)) return "lost";
    const final = (error as ParleyError).details["call"] as Call | undefined;
    if (final) this.#call = final;
    return final ? endOf(final) : "ended";
  }

  #setState(state: SessionState): void {
    const previous = this.#state;
    if (previous === state || previous === "closed") return;
    this.#state = state;
    this.emit("stateChanged", { state, previous });
  }
}

/** Why a call that is over is over, in the words of session.closed. */
function endOf(call: Call): string {
  return call.status === "ended" ? call.reason || "hangup" : call.status;
}
