import type { RemoteParticipant, Session } from "../sdk/index.js";
import { styleGrid } from "./grid-style.js";
import type { SessionChoices } from "./settings.js";

/** Buttons of the bar. */
export type Button = "audio" | "video" | "screen" | "hand" | "leave";

interface Tile {
  root: HTMLElement;
  video: HTMLVideoElement;
  name: HTMLElement;
  detach: () => void;
}

/** The session in an element of the app's: a tile for each picture, a bar of buttons. */
export class Grid {
  #root: HTMLElement;
  #tiles: HTMLElement;
  #session: Session;
  #shown = new Map<string, Tile>();
  #buttons = new Map<Button, HTMLButtonElement>();
  #offs: (() => void)[];
  #layout: string;
  #pinned = "";
  #people = make("ul", "parley-people");

  constructor(parent: HTMLElement, session: Session, { controls, layout }: Pick<SessionChoices, "controls" | "layout">, pressed: (button: Button) => void) {
    this.#session = session;
    this.#layout = layout;
    styleGrid(parent.ownerDocument);
    this.#root = make("div", "parley-call");
    this.#tiles = make("div", "parley-tiles");
    this.#people.hidden = true;
    this.#people.setAttribute("aria-label", "Participants");
    this.#root.append(this.#tiles, this.#people);
    if (controls.bar) this.#root.append(this.#bar(controls, pressed));
    parent.replaceChildren(this.#root);
    const draw = () => this.#draw();
    this.#offs = (["participantJoined", "participantLeft", "participantUpdated", "trackAdded", "trackRemoved", "localChanged", "stateChanged", "handChanged", "speakersChanged"] as const).map(
      (event) => session.on(event, draw),
    );
    this.#draw();
  }

  close(): void {
    this.#offs.forEach((off) => off());
    for (const tile of this.#shown.values()) tile.detach();
    this.#shown.clear();
    this.#root.remove();
  }

  /** Arranges the tiles in another way. */
  setLayout(layout: string): void {
    this.#layout = layout;
    this.#draw();
  }

  /** Keeps somebody large in the layouts that have one large: a participant's id, "" for whoever speaks. */
  pin(participantId: string): void {
    this.#pinned = participantId;
    this.#draw();
  }

  /** Shows or hides the list of who is there. */
  showPeople(on: boolean): void {
    this.#people.hidden = !on;
  }

  /** Floats the large picture over other windows, or brings it back. */
  async float(on: boolean): Promise<void> {
    const { ownerDocument } = this.#root;
    if (on) await this.#shown.get(this.#main())?.video.requestPictureInPicture();
    else if (ownerDocument.pictureInPictureElement && this.#root.contains(ownerDocument.pictureInPictureElement)) await ownerDocument.exitPictureInPicture();
  }

  /** Whose tile is the large one. */
  #main(): string {
    const { participants, speakerId } = this.#session;
    const screen = [...this.#shown.keys()].find((key) => key.endsWith(":screen"));
    return [this.#pinned, screen, speakerId, participants[0]?.participantId].find((key) => key && this.#shown.has(key)) ?? "me";
  }

  #draw(): void {
    const { local, participants, state } = this.#session;
    this.#root.dataset["state"] = state;
    const wanted = new Set<string>(["me"]);
    this.#show("me", local.stream, `${local.user.name || local.user.uid} (you)`, local.cameraOn, !local.microphoneOn, true);
    for (const participant of participants) this.#person(participant, wanted);
    for (const [key, tile] of this.#shown) {
      if (wanted.has(key)) continue;
      tile.detach();
      tile.root.remove();
      this.#shown.delete(key);
    }
    const main = this.#main();
    this.#tiles.dataset["layout"] = this.#layout;
    for (const [key, tile] of this.#shown) tile.root.classList.toggle("parley-main", key === main);
    this.#people.replaceChildren(...[local, ...participants].map((person) => {
      const item = document.createElement("li");
      item.textContent = `${person.raisedAt === undefined ? "" : "✋ "}${person.user.name || person.user.uid}${person === local ? " (you)" : ""}`;
      return item;
    }));
    this.#tiles.style.setProperty("--columns", String(Math.ceil(Math.sqrt(this.#shown.size))));
    this.#label("audio", local.microphoneOn, "Mute", "Unmute");
    this.#label("video", local.cameraOn, "Camera off", "Camera on");
    this.#label("hand", local.raisedAt === undefined, "Raise hand", "Lower hand");
    this.#label("screen", !local.screenOn, "Share screen", "Stop sharing");
  }

  #person(participant: RemoteParticipant, wanted: Set<string>): void {
    const { participantId: id, user, stream, screen } = participant;
    const name = user.name || user.uid;
    wanted.add(id);
    this.#show(id, stream, name, participant.cameraOn && stream.getVideoTracks().length > 0, !participant.microphoneOn, false);
    if (!participant.screenOn || screen.getTracks().length === 0) return;
    wanted.add(`${id}:screen`);
    this.#show(`${id}:screen`, screen, `${name}'s screen`, true, false, false).root.classList.add("parley-screen");
  }

  #show(key: string, stream: MediaStream, name: string, picture: boolean, muted: boolean, mine: boolean): Tile {
    let tile = this.#shown.get(key);
    if (!tile) {
      const root = make("figure", mine ? "parley-tile parley-me" : "parley-tile");
      const video = document.createElement("video");
      video.muted = mine;
      const caption = make("figcaption", "parley-name");
      const initial = make("span", "parley-initial");
      initial.setAttribute("aria-hidden", "true");
      initial.textContent = name.slice(0, 1).toUpperCase();
      root.append(initial, video, caption);
      tile = { root, video, name: caption, detach: this.#session.attach(video, stream) };
      this.#shown.set(key, tile);
      this.#tiles.append(root);
    }
    tile.root.dataset["picture"] = String(picture);
    const text = muted ? `${name} · muted` : name;
    if (tile.name.textContent !== text) tile.name.textContent = text;
    return tile;
  }

  #bar(controls: SessionChoices["controls"], pressed: (button: Button) => void): HTMLElement {
    const bar = make("div", "parley-bar");
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Call");
    for (const button of ["audio", "video", "screen", "hand", "leave"] as const) {
      if (!controls[button] || (button === "hand" && this.#session.call.receiverType === "user")) continue;
      const element = document.createElement("button");
      element.type = "button";
      element.className = `parley-button parley-${button}`;
      element.textContent = button === "leave" ? "Leave" : "";
      element.addEventListener("click", () => pressed(button));
      this.#buttons.set(button, element);
      bar.append(element);
    }
    return bar;
  }

  #label(button: Button, on: boolean, whenOn: string, whenOff: string): void {
    const element = this.#buttons.get(button);
    if (element) element.textContent = on ? whenOn : whenOff;
  }
}

function make(tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
