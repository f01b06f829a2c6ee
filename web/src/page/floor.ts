// The middle of the call screen: the tiles of the people and, when somebody shares it, a screen.

import type { PauseReason, Session, User } from "../sdk/index.js";
import { h, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { fit } from "../look/layout.js";
import type { Line } from "./phone.js";
import { Tile } from "./tile.js";
import { pauseWords } from "../look/words.js";

const gap = 10;

export class Floor {
  readonly element: HTMLElement;
  private readonly grid = h("div", { class: "grid", role: "list", "aria-label": "People in this call" });
  private readonly screenVideo = h("video", { autoplay: true, playsinline: true, "aria-hidden": "true", tabindex: "-1" });
  private readonly screenName = h("span", {});
  private readonly screenNote = h("p", { class: "tile-note", hidden: true });
  private readonly screen: HTMLElement;
  private readonly soundHelp: HTMLElement;
  private readonly self: Tile;
  private readonly waiting: Tile;
  private readonly tiles = new Map<string, Tile>();
  private readonly sizes: ResizeObserver;
  private sharers: string[] = [];
  private detachScreen: (() => void) | undefined;

  constructor(me: User, line: Line) {
    this.self = new Tile({ id: me.uid, name: me.name || me.uid, avatar: me.avatar }, { self: true });
    this.waiting = new Tile(line.peer, { waiting: true });
    this.screen = h("div", { class: "show", role: "group", hidden: true }, this.screenVideo, this.screenNote, h("div", { class: "plate" }, this.screenName));
    this.soundHelp = h(
      "div",
      { class: "sound-help", hidden: true },
      h("button", { class: "button primary", type: "button", on: { click: () => show(this.soundHelp, false) } }, icon("speaker"), "Turn on sound"),
    );
    this.element = h("div", { class: "floor" }, this.screen, this.grid, this.soundHelp);
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.element);
    this.sizes.observe(this.grid);
  }

  /** Brings tiles and screen in line with the call. */
  draw(line: Line): void {
    const { session } = line;
    const others = session?.participants ?? [];
    if (session) this.drawOthers(session);
    this.drawSelf(line, session);
    if (session) this.drawScreen(session);
    const alone = others.length === 0;
    if (alone) this.waiting.update({ microphoneOn: true, cameraOn: false, note: waitingWords(line), hand: false });
    this.waiting.element.classList.toggle("ripple", line.phase === "calling");
    const pip = others.length <= 1 && this.sharers.length === 0;
    this.element.classList.toggle("pip", pip);
    const selfShown = !pip || Boolean(session?.local.cameraOn) || session?.local.raisedAt !== undefined;
    this.place([...(alone ? [this.waiting] : []), ...others.map((other) => this.tiles.get(other.participantId)!), ...(selfShown ? [this.self] : [])]);
    this.arrange();
  }

  /** Marks who speaks. */
  speaking(speaking: ReadonlySet<string>): void {
    for (const [id, tile] of this.tiles) tile.speaking = speaking.has(id);
  }

  /** The browser plays no sound before a click: asks for one. */
  soundBlocked(blocked: boolean): void {
    show(this.soundHelp, blocked);
  }

  remove(): void {
    this.sizes.disconnect();
    for (const tile of [this.self, this.waiting, ...this.tiles.values()]) tile.remove();
    this.screenVideo.srcObject = null;
  }

  private drawOthers(session: Session): void {
    const others = session.participants;
    const present = new Set(others.map((other) => other.participantId));
    for (const [id, tile] of this.tiles) {
      if (present.has(id)) continue;
      tile.remove();
      this.tiles.delete(id);
    }
    for (const other of others) {
      let tile = this.tiles.get(other.participantId);
      if (!tile) {
        const { uid, name, avatar } = other.user;
        tile = new Tile({ id: uid, name: name || uid, avatar });
        this.tiles.set(other.participantId, tile);
      }
      tile.play(other.stream, (element, stream) => session.attach(element, stream));
      const paused = other.cameraOn ? other.pausedBecause("camera") : undefined;
      tile.update({
        microphoneOn: other.microphoneOn,
        cameraOn: other.cameraOn && other.stream.getVideoTracks().length > 0 && !gone(paused),
        note: other.publications.length === 0 ? "Connecting…" : pauseWords("Video", paused),
        quality: other.quality,
        hand: other.raisedAt !== undefined,
      });
      tile.speaker = other.speaking && others.length > 1;
    }
  }

  private drawSelf(line: Line, session: Session | undefined): void {
    if (session) this.self.play(session.local.stream, (element, stream) => session.attach(element, stream));
    this.self.update({
      microphoneOn: session?.local.microphoneOn ?? true,
      cameraOn: session?.local.cameraOn ?? line.type === "video",
      note: "",
      quality: session?.local.quality,
      hand: session?.local.raisedAt !== undefined,
    });
    this.self.speaker = Boolean(session?.local.speaking) && (session?.participants.length ?? 0) > 1;
  }

  private drawScreen(session: Session): void {
    const sharers = session.participants.filter((other) => other.screenOn && other.screen.getVideoTracks().length > 0);
    // The newest screen has the stage; when it ends, the one before comes back.
    const ids = sharers.map((other) => other.participantId);
    this.sharers = [...this.sharers.filter((id) => ids.includes(id)), ...ids.filter((id) => !this.sharers.includes(id))];
    const sharer = sharers.find((other) => other.participantId === this.sharers.at(-1));
    show(this.screen, Boolean(sharer));
    this.element.classList.toggle("sharing", Boolean(sharer));
    if (this.screenVideo.srcObject !== (sharer?.screen ?? null)) {
      this.detachScreen?.();
      this.detachScreen = sharer && session.attach(this.screenVideo, sharer.screen);
    }
    if (!sharer) return;
    const words = `${sharer.user.name || sharer.user.uid}'s screen`;
    setText(this.screenName, words);
    const note = pauseWords("Screen", sharer.pausedBecause("screen"));
    this.screen.setAttribute("aria-label", note ? `${words}, ${note}` : words);
    setText(this.screenNote, note);
    show(this.screenNote, note !== "");
  }

  /** Puts exactly these tiles into the grid, moving none that is in its place: a moved video would blink. */
  private place(tiles: Tile[]): void {
    const wanted = tiles.map((tile) => tile.element);
    for (const child of [...this.grid.children]) if (!wanted.includes(child as HTMLElement)) child.remove();
    wanted.forEach((element, at) => {
      if (this.grid.children[at] !== element) this.grid.insertBefore(element, this.grid.children[at] ?? null);
    });
    // Moving a playing element pauses it; one that the browser refused to start stays with the SDK.
    tiles.forEach((tile) => tile.video.srcObject && tile.video.paused && tile.video.play().catch(() => undefined));
  }

  private arrange(): void {
    const count = this.grid.childElementCount;
    if (!this.element.classList.contains("pip") && count > 0) {
      // Beside a screen the strip is narrow: tiles in it keep the shape of a camera's picture.
      const narrowest = this.sharers.length > 0 ? 4 / 3 : 1;
      const { columns, width, height } = fit(count, this.grid.clientWidth, this.grid.clientHeight, gap, narrowest);
      // Rows break after this many columns, and a last row that is not full stands in the middle.
      const spare = this.grid.clientWidth - columns * width - (columns - 1) * gap;
      this.grid.style.setProperty("--pad", `${Math.max(0, Math.floor(spare / 2) - 1)}px`);
      this.grid.style.setProperty("--tile-width", `${width}px`);
      this.grid.style.setProperty("--tile-height", `${height}px`);
    }
    for (const tile of [this.self, ...this.tiles.values()]) tile.shape();
  }
}

/** Whether the last picture is better not left standing: it may stay away for long, or there is none. */
function gone(reason: PauseReason | undefined): boolean {
  return reason === "bandwidth" || reason === "absent";
}

function waitingWords(line: Line): string {
  if (line.phase === "calling") return line.call ? "Ringing…" : "Calling…";
  if (line.phase === "joining" || line.session?.state === "connecting") return "Connecting…";
  return line.peer.group ? "Nobody else is here yet" : "Connecting…";
}
