import { ParleyError } from "./errors.js";
import { LocalMedia, type Outgoing } from "./local-media.js";
import type { LocalParticipant } from "./participants.js";
import type { Devices, JoinOptions } from "./session-types.js";
import type { Source } from "./types.js";

interface ControlsConfig {
  me: LocalParticipant;
  options: JoinOptions;
  /** Whether a source may be published, once that is known. */
  may(source: Source): boolean;
  changed(source: Source, on: boolean): void;
  failed(source: Source, error: ParleyError): void;
  /** Brings what is sent in step with the devices. */
  sync(): Promise<void>;
  unpublish(sources: Source[]): Promise<void>;
}

/** What the user does with microphone, camera and screen: one change after the other, first the device, then what is sent. */
export class Controls {
  #config: ControlsConfig;
  #media: LocalMedia;
  #chores: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(config: ControlsConfig) {
    this.#config = config;
    this.#media = new LocalMedia(config.me, config.options.devices ?? {}, {
      changed: (source, on) => {
        if (!this.#closed) config.changed(source, on);
      },
      failed: config.failed,
      ended: (source) => void this.#ended(source),
    });
  }

  get devices(): Devices {
    return this.#media.devices;
  }

  outgoing(): Outgoing[] {
    return this.#media.outgoing();
  }

  /** Opens what the session starts with; what opens after the first offer is sent from then on. */
  async open(video: boolean): Promise<void> {
    const { may, options } = this.#config;
    const { audio = true, startAudioMuted: muted = false, startVideoPaused: paused = false } = options;
    await this.#media.start({ audio: audio && may("microphone"), video: video && may("camera"), muted, paused });
    if (this.#closed) return this.#media.close();
    await this.#config.sync().catch(() => {});
  }

  turn(source: "microphone" | "camera", on: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (on) this.#need(source);
      if (on) await this.#media.enable(source);
      else this.#media.disable(source);
      await this.#config.sync();
    });
  }

  shareScreen(audio: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#config.me.screenOn) return;
      this.#need("screen");
      await this.#media.openScreen(audio && this.#config.may("screenAudio"));
      try {
        await this.#config.sync();
      } catch (error) {
        this.#config.unpublish(this.#media.closeScreen()).catch(() => {});
        throw error;
      }
    });
  }

  stopScreenShare(): Promise<void> {
    return this.#inTurn(() => this.#config.unpublish(this.#media.closeScreen()));
  }

  /** Stops what a moderator has muted. */
  silence(source: Source): Promise<void> {
    if (source === "microphone" || source === "camera") return this.turn(source, false);
    // A screen has no muted state of its own: its share ends, or the sound of it.
    return this.#inTurn(() => this.#config.unpublish(this.#media.closeScreen(source === "screen" ? ["screen", "screenAudio"] : ["screenAudio"])));
  }

  switchTo(source: "microphone" | "camera", deviceId: string): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#media.switchTo(source, deviceId);
      } finally {
        await this.#config.sync();
      }
    });
  }

  nextCamera(): Promise<string | undefined> {
    return this.#media.nextCamera();
  }

  close(): void {
    this.#closed = true;
    this.#media.close();
  }

  async #ended(source: Source): Promise<void> {
    if (source === "screen" || source === "screenAudio") return this.stopScreenShare().catch(() => {});
    const error = new ParleyError("MEDIA_NOT_FOUND", `The ${source} is gone.`);
    this.#config.me.errors.set(source, error);
    this.#config.failed(source, error);
    await this.turn(source, false).catch(() => {});
  }

  #need(source: Source): void {
    if (this.#config.may(source)) return;
    throw new ParleyError("ERR_CALL_NOT_ALLOWED", "You may not publish this source here.", "", { source });
  }

  #inTurn(chore: () => Promise<void>): Promise<void> {
    const done = this.#chores.then(async () => {
      if (this.#closed) throw new ParleyError("CLOSED", "The session is closed.");
      await chore();
      // A device that opened while the session closed must not stay open.
      if (this.#closed) this.#media.close();
    });
    this.#chores = done.catch(() => {});
    return done;
  }
}
