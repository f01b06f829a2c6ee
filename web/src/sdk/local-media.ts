import { ParleyError } from "./errors.js";
import { listDevices, mediaError, openBoth, openCamera, openMicrophone, openScreen } from "./media.js";
import type { LocalParticipant } from "./participants.js";
import type { Devices } from "./session-types.js";
import type { Source } from "./types.js";

/** What this device would send now, one entry per source that has an m-line. */
export interface Outgoing {
  source: Source;
  track: MediaStreamTrack | null;
  muted: boolean;
}

interface Reports {
  changed(source: Source, on: boolean): unknown;
  failed(source: Source, error: ParleyError): void;
  /** A device went away, or the user stopped sharing in the browser's own bar. */
  ended(source: Source): void;
}

/**
 * The tracks of this device: opens and closes devices, keeps the preview streams and the on/off state. It knows nothing of
 * connections. A muted microphone stays open, so that talking starts at once; a camera that is off is closed, light and all.
 */
export class LocalMedia {
  readonly devices: Devices;
  #me: LocalParticipant;
  #reports: Reports;
  #tracks = new Map<Source, MediaStreamTrack>();
  /** Sources with an m-line, whether on or not. */
  #published = new Set<Source>();

  constructor(me: LocalParticipant, devices: Devices, reports: Reports) {
    this.#me = me;
    this.devices = { ...devices };
    this.#reports = reports;
  }

  /** Opens what a session starts with. Never rejects: what cannot be opened is reported and left out. */
  async start(wanted: { audio: boolean; video: boolean; muted: boolean; paused: boolean }): Promise<void> {
    if (wanted.audio) this.#published.add("microphone");
    if (wanted.video) this.#published.add("camera");
    const video = wanted.video && !wanted.paused;
    if (wanted.audio && video) {
      const [sound, picture] = await openBoth(this.devices);
      this.#take("microphone", sound);
      this.#take("camera", picture);
    } else if (wanted.audio) this.#take("microphone", await openMicrophone(this.devices).catch(asError));
    else if (video) this.#take("camera", await openCamera(this.devices).catch(asError));
    if (wanted.muted) this.disable("microphone");
  }

  track(source: Source): MediaStreamTrack | null {
    return this.#tracks.get(source) ?? null;
  }

  isPublished(source: Source): boolean {
    return this.#published.has(source);
  }

  /** Everything that has an m-line, in the order microphone, camera, screen, screenAudio. */
  outgoing(): Outgoing[] {
    const order: Source[] = ["microphone", "camera", "screen", "screenAudio"];
    return order
      .filter((source) => this.#published.has(source))
      .map((source) => ({ source, track: this.track(source), muted: !this.#me.on[source] }));
  }

  /** Turns microphone or camera on, opening it where needed; gives the track to send. */
  async enable(source: "microphone" | "camera"): Promise<MediaStreamTrack> {
    const open = this.#tracks.get(source);
    if (open?.readyState === "live") {
      open.enabled = true;
      this.#set(source, true);
      return open;
    }
    const track = await (source === "camera" ? openCamera(this.devices) : openMicrophone(this.devices));
    this.#published.add(source);
    this.#take(source, track);
    return track;
  }

  /** Turns microphone or camera off. */
  disable(source: "microphone" | "camera"): void {
    const track = this.#tracks.get(source);
    if (source === "microphone" && track) track.enabled = false;
    if (source === "camera") this.#drop(source);
    this.#set(source, false);
  }

  /** Uses another device from now on; gives the new track if the source is on. */
  async switchTo(source: "microphone" | "camera", deviceId: string): Promise<MediaStreamTrack | null> {
    const key = source === "camera" ? "cameraId" : "microphoneId";
    const previous = this.devices[key];
    this.devices[key] = deviceId;
    if (!this.#tracks.has(source)) return null;
    const enabled = this.#me.on[source];
    this.#drop(source); // first: phones open one camera at a time
    try {
      this.#take(source, await (source === "camera" ? openCamera : openMicrophone)(this.devices), enabled);
    } catch (error) {
      this.devices[key] = previous;
      this.#take(source, await (source === "camera" ? openCamera : openMicrophone)(this.devices).catch(asError), enabled);
      throw error;
    }
    return this.track(source);
  }

  /** The camera after the one in use, for a button that only says "switch". */
  async nextCamera(): Promise<string | undefined> {
    const cameras = (await listDevices()).filter((d) => d.kind === "videoinput");
    const current = this.#tracks.get("camera")?.getSettings().deviceId ?? this.devices.cameraId;
    const index = cameras.findIndex((d) => d.deviceId === current);
    return cameras[(index + 1) % Math.max(1, cameras.length)]?.deviceId;
  }

  /** Asks for a screen; resolves with the sources that it gave. */
  async openScreen(audio: boolean): Promise<Source[]> {
    const stream = await openScreen(audio);
    const given: Source[] = [];
    for (const track of stream.getTracks()) {
      const source = track.kind === "video" ? "screen" : "screenAudio";
      this.#published.add(source);
      this.#take(source, track);
      given.push(source);
    }
    return given;
  }

  /** Ends the screen share, or only the sound of it; gives the sources that end. */
  closeScreen(which: ("screen" | "screenAudio")[] = ["screen", "screenAudio"]): Source[] {
    const ended = which.filter((source) => this.#published.delete(source));
    for (const source of ended) {
      this.#drop(source);
      this.#set(source, false);
    }
    return ended;
  }

  /** Closes every device. */
  close(): void {
    for (const source of [...this.#tracks.keys()]) this.#drop(source);
    this.#published.clear();
    for (const source of Object.keys(this.#me.on) as Source[]) this.#set(source, false);
  }

  #take(source: Source, got: MediaStreamTrack | ParleyError, enabled = true): void {
    if (got instanceof ParleyError) {
      this.#me.errors.set(source, got);
      this.#set(source, false);
      return this.#reports.failed(source, got);
    }
    this.#drop(source);
    this.#me.errors.delete(source);
    this.#tracks.set(source, got);
    got.enabled = enabled;
    // Raised by the browser only, never by our own stop().
    got.onended = () => this.#reports.ended(source);
    if (source === "camera") this.#me.stream.addTrack(got);
    if (source === "screen") this.#me.screen.addTrack(got);
    this.#set(source, enabled);
  }

  #drop(source: Source): void {
    const track = this.#tracks.get(source);
    if (!track) return;
    this.#tracks.delete(source);
    track.onended = null;
    this.#me.stream.removeTrack(track);
    this.#me.screen.removeTrack(track);
    track.stop();
  }

  #set(source: Source, on: boolean): void {
    if (this.#me.on[source] === on) return;
    this.#me.on[source] = on;
    this.#reports.changed(source, on);
  }
}

function asError(error: unknown): ParleyError {
  return error instanceof ParleyError ? error : mediaError(error, "camera");
}
