// One person of a call: picture or avatar, name, what is muted. Its video element also plays that person's sound.

import type { Quality } from "../sdk/index.js";
import { avatar, type Face } from "./avatar.js";
import { h, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { qualityWords } from "../look/quality.js";
import { Signal } from "./signal.js";

export interface TileState {
  microphoneOn: boolean;
  cameraOn: boolean;
  /** A word over the picture: "Ringing…", "Connecting…", why it is paused; "" for none. */
  note: string;
  quality?: Quality;
  /** Their hand is up. */
  hand: boolean;
}

/** A picture is cropped to fill its tile unless more than this much of it would be lost. */
const cropLimit = 1.45;

export class Tile {
  readonly element: HTMLElement;
  readonly video: HTMLVideoElement;
  private readonly face: HTMLElement;
  private readonly muted = h("span", { class: "plate-muted" }, icon("micOff"));
  private readonly hand = h("span", { class: "plate-hand" }, icon("hand"));
  private readonly signal = new Signal();
  private microphoneOn = true;
  private readonly note = h("p", { class: "tile-note" });

  constructor(
    private readonly who: Face,
    private readonly options: { self?: boolean; waiting?: boolean } = {},
  ) {
    this.video = h("video", { autoplay: true, playsinline: true, tabindex: "-1", "aria-hidden": "true" });
    this.video.muted = Boolean(options.self);
    this.video.addEventListener("resize", () => this.shape());
    this.face = avatar(who, "large");
    this.element = h(
      "div",
      { class: `tile${options.self ? " self" : ""}${options.waiting ? " waiting" : ""}`, role: "listitem", "data-user": who.id },
      this.face,
      this.video,
      this.note,
      h("div", { class: "plate", "aria-hidden": "true" }, this.hand, this.muted, h("span", {}, options.self ? "You" : who.name), this.signal.element),
    );
    show(this.video, false);
  }

  /** Plays a stream by attach, which knows the chosen loudspeaker and what to do when the browser refuses sound. */
  play(stream: MediaStream, attach: (element: HTMLMediaElement, stream: MediaStream) => () => void): void {
    if (this.video.srcObject !== stream) attach(this.video, stream);
  }

  update(state: TileState): void {
    const name = this.options.self ? "You" : this.who.name;
    const parts = [name];
    if (!this.options.waiting) {
      if (!state.microphoneOn) parts.push("muted");
      if (!state.cameraOn) parts.push("camera off");
    }
    if (state.hand) parts.push("hand raised");
    show(this.hand, state.hand);
    if (state.note) parts.push(state.note);
    const quality = qualityWords(state.quality);
    if (quality) parts.push(quality);
    this.signal.update(state.quality);
    setAttribute(this.element, "aria-label", parts.join(", "));
    this.microphoneOn = state.microphoneOn;
    if (!state.microphoneOn) this.speaking = false;
    show(this.muted, !state.microphoneOn && !this.options.waiting);
    show(this.face, !state.cameraOn);
    this.element.classList.toggle("faceless", !state.cameraOn);
    // Hidden from sight only: an element that is not displayed may stop playing sound.
    setAttribute(this.video, "data-off", !state.cameraOn);
    show(this.video, true);
    setText(this.note, state.note);
    show(this.note, state.note !== "");
  }

  set speaking(on: boolean) {
    this.element.classList.toggle("speaking", on && this.microphoneOn);
  }

  /** Who spoke last, as the server heard it. */
  set speaker(on: boolean) {
    this.element.classList.toggle("speaker", on);
  }

  /** Chooses between cropping and letterboxing for the present sizes. */
  shape(): void {
    const { videoWidth, videoHeight } = this.video;
    const { clientWidth, clientHeight } = this.element;
    if (!videoWidth || !clientHeight) return;
    const ratio = videoWidth / videoHeight / (clientWidth / clientHeight);
    this.element.classList.toggle("tall", Math.max(ratio, 1 / ratio) > cropLimit);
  }

  remove(): void {
    this.video.srcObject = null;
    this.element.remove();
  }
}
