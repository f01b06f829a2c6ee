import type { ParleyError } from "./errors.js";
import type { PauseReason } from "./session-types.js";
import type { ParticipantInfo, Publication, Quality, Source, User } from "./types.js";

/**
 * Somebody else in the session. The two streams are the same objects from joining to leaving, and tracks come and go in
 * them: set each as an element's `srcObject` once. Read-only for applications.
 */
export class RemoteParticipant {
  readonly participantId: string;
  readonly user: User;
  readonly deviceId: string;
  /** Unix milliseconds. */
  readonly joinedAt: number;
  /** Camera and microphone. */
  readonly stream = new MediaStream();
  /** Screen and screen audio. */
  readonly screen = new MediaStream();
  /** How good the call is for them; undefined until the server knows. */
  quality: Quality | undefined;
  /** The server heard them speak last. */
  speaking = false;
  /** When they raised their hand, in Unix milliseconds; undefined while it is down. */
  raisedAt: number | undefined;
  #publications: Publication[];
  #paused = new Map<Source, PauseReason>();

  constructor(info: ParticipantInfo) {
    this.participantId = info.participantId;
    this.user = info.user;
    this.deviceId = info.deviceId;
    this.joinedAt = info.joinedAt;
    this.#publications = info.publications ?? [];
    this.quality = info.quality;
    this.raisedAt = info.raisedAt;
  }

  /** What they send, muted or not. */
  get publications(): readonly Publication[] {
    return this.#publications;
  }

  /** The publication of a source, if there is one. */
  publication(source: Source): Publication | undefined {
    return this.#publications.find((p) => p.source === source);
  }

  /** Whether a source is published and not muted. */
  isOn(source: Source): boolean {
    return this.publication(source)?.muted === false;
  }

  /** Whether others can hear them, or they are muted. */
  get microphoneOn(): boolean {
    return this.isOn("microphone");
  }

  /** Whether they send a camera. */
  get cameraOn(): boolean {
    return this.isOn("camera");
  }

  /** Whether they share a screen. */
  get screenOn(): boolean {
    return this.isOn("screen");
  }

  /** The stream that carries a source. */
  streamOf(source: Source): MediaStream {
    return source === "screen" || source === "screenAudio" ? this.screen : this.stream;
  }

  /** Why the server does not send a video of theirs to this device; undefined when it does. */
  pausedBecause(source: Source): PauseReason | undefined {
    return this.#paused.get(source);
  }

  /** @internal Notes that a video is paused, or not; false when that was known. */
  setPaused(source: Source, reason: PauseReason | undefined): boolean {
    if (this.#paused.get(source) === reason) return false;
    if (reason) this.#paused.set(source, reason);
    else this.#paused.delete(source);
    return true;
  }

  /** @internal */
  update(info: ParticipantInfo): void {
    this.#publications = info.publications ?? [];
    this.quality = info.quality ?? this.quality;
    this.raisedAt = info.raisedAt;
  }
}

/** This device's own part in a session. */
export class LocalParticipant {
  readonly user: User;
  /** Camera only, for a preview; a muted microphone or camera is not in it. */
  readonly stream = new MediaStream();
  /** The shared screen. */
  readonly screen = new MediaStream();
  /** @internal */
  readonly on: Record<Source, boolean> = { microphone: false, camera: false, screen: false, screenAudio: false };
  /** Why a source that was wanted is not sent: no permission, no device, device in use. */
  readonly errors = new Map<Source, ParleyError>();
  /** How good the call is for this device's user; undefined until the server knows. */
  quality: Quality | undefined;
  /** The server heard this device's user speak last. */
  speaking = false;
  /** When this device raised its hand, in Unix milliseconds; undefined while it is down. */
  raisedAt: number | undefined;
  /** Given by the server on joining; another one after a rejoin. */
  participantId = "";

  constructor(user: User) {
    this.user = user;
  }

  /** Whether this device sends sound. */
  get microphoneOn(): boolean {
    return this.on.microphone;
  }

  /** Whether this device sends its camera. */
  get cameraOn(): boolean {
    return this.on.camera;
  }

  /** Whether this device shares a screen. */
  get screenOn(): boolean {
    return this.on.screen;
  }
}
