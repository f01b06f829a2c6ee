// The call screen: tiles, the shared screen, banners and controls of the open call.

import type { Parley, RemoteParticipant, Session, Source, User } from "../sdk/index.js";
import { qualityWords } from "../look/quality.js";
import { announce, announceNow } from "./announce.js";
import { h, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { Floor } from "./floor.js";
import { connectHint, patienceMilliseconds } from "./hints.js";
import { toast } from "./layers.js";
import { openPeople } from "./people.js";
import type { Line, Phone } from "./phone.js";
import { openKeyList, useKeys } from "./shortcuts.js";
import { playJoined } from "../look/sounds.js";
import { watchSpeaking } from "./speaking.js";
import { Tools } from "./tools.js";
import { clock, errorWords, pauseWords, plural } from "../look/words.js";

export interface StageActions {
  settings(session: Session | undefined): void;
  /** Shows the link to this meeting; absent where the page cannot make one. */
  invite?: (meeting: string) => void;
}

const confirmMilliseconds = 2500;

export class Stage {
  private readonly floor: Floor;
  private readonly tools: Tools;
  private readonly element: HTMLElement;
  private readonly title = h("h1", { tabindex: "-1" });
  private readonly timer = h("span", { class: "timer", role: "timer" });
  private readonly countWord = h("span", {});
  private readonly handCount = h("span", { class: "hands", hidden: true }, icon("hand"), h("span", {}));
  private readonly count = h(
    "button",
    { class: "button quiet people", type: "button", on: { click: () => this.session && openPeople(this.session, () => void this.phone.hangUp(true)) } },
    icon("group"), this.countWord, this.handCount,
  );
  private readonly inviting: HTMLButtonElement;
  private readonly endForAll: HTMLButtonElement;
  private readonly banner = h("div", { class: "banner", hidden: true }, icon("warning"), h("span", {}));
  private readonly sharing: HTMLElement;
  private readonly undo: (() => void)[] = [];
  private session: Session | undefined;
  private talkingSince = 0;
  private waitingSince = 0;
  private escapedAt = 0;

  constructor(
    root: HTMLElement,
    private readonly phone: Phone,
    private readonly client: Parley,
    private line: Line,
    private readonly actions: StageActions,
  ) {
    this.floor = new Floor(phone.me, line);
    this.tools = new Tools({
      microphone: () => this.toggle("microphone"),
      camera: () => this.toggle("camera"),
      screen: () => this.toggle("screen"),
      hand: () => this.raise(),
      settings: () => this.actions.settings(this.session),
      help: openKeyList,
      hangUp: () => void this.phone.hangUp(),
    });
    this.inviting = h("button", { class: "button quiet", type: "button", "aria-label": "Invite people", on: { click: () => this.actions.invite?.(this.line.meeting!) } }, icon("link"), h("span", { class: "wide" }, "Invite"));
    this.endForAll = h("button", { class: "button quiet all", type: "button", hidden: true, on: { click: () => void phone.hangUp(true) } }, "End for all");
    this.sharing = h(
      "div",
      { class: "banner calm", hidden: true },
      h("span", {}, "You are sharing your screen."),
      h("button", { class: "button", type: "button", on: { click: () => this.toggle("screen") } }, "Stop sharing"),
    );
    this.element = h(
      "main",
      { class: "stage", "data-phase": line.phase },
      h("header", { class: "stage-head" }, this.title, this.timer, h("span", { class: "spring" }), this.inviting, this.count, this.endForAll),
      h("div", { class: "banners" }, this.banner, this.sharing),
      this.floor.element,
      this.tools.element,
    );
    root.replaceChildren(this.element);
    this.undo.push(
      client.on("stateChanged", () => this.draw()),
      useKeys({ m: () => this.toggle("microphone"), v: () => this.toggle("camera"), s: () => this.toggle("screen"), h: () => this.raise(), "?": openKeyList, Escape: () => this.escape() }),
    );
    for (const name of ["online", "offline"]) this.listen(window, name, () => this.draw());
    const tick = window.setInterval(() => this.tick(), 500);
    this.undo.push(() => window.clearInterval(tick));
    this.update(line);
    this.title.focus();
  }

  /** The line changed phase, call or session. */
  update(line: Line): void {
    this.line = line;
    if (line.session && this.session !== line.session) this.attach(line.session);
    if (line.phase === "talking" && !this.talkingSince) {
      // The server's clock may differ from ours; a call cannot have started in the future.
      this.talkingSince = Math.min(Date.now(), line.call?.startedAt || Date.now());
    }
    this.draw();
  }

  remove(): void {
    this.undo.forEach((undo) => undo());
    this.floor.remove();
    this.element.remove();
  }

  private attach(session: Session): void {
    this.session = session;
    this.waitingSince = Date.now();
    // Devices are opened while the session is joined: what failed by now was not heard as an event.
    const failures = [...session.local.errors.values()].map(errorWords);
    for (const words of new Set(failures)) toast(words);
    this.undo.push(
      session.on("participantJoined", ({ participant }) => {
        announce(`${nameOf(participant)} joined`);
        playJoined();
        this.draw();
      }),
      session.on("participantLeft", ({ participant, reason }) => {
        const words = reason === "lost" ? "lost the connection" : "left";
        if (this.line.peer.group) toast(`${nameOf(participant)} ${words}`);
        this.draw();
      }),
      session.on("participantUpdated", () => this.draw()),
      session.on("trackAdded", () => this.draw()),
      session.on("trackRemoved", () => this.draw()),
      session.on("localChanged", ({ source, on }) => {
        if (source === "microphone") announce(on ? "Microphone on" : "Microphone muted");
        if (source === "camera") announce(on ? "Camera on" : "Camera off");
        if (source === "screen") announce(on ? "You are sharing your screen" : "Screen sharing stopped");
        this.draw();
      }),
      session.on("handChanged", ({ participant, raised }) => {
        if (participant === session.local) announce(raised ? "Your hand is up" : "Your hand is down");
        else if (raised) toast(`${participant.user.name || participant.user.uid} raised a hand`);
        this.draw();
      }),
      session.on("mutedByModerator", ({ source, by }) => toast(mutedWords(source, by))),
      session.on("speakersChanged", () => this.draw()),
      session.on("qualityChanged", ({ participant, quality }) => {
        const weak = quality.grade === "bad" || quality.grade === "poor";
        if (participant === session.local && weak) announce(`Your call has a ${qualityWords(quality)}`);
        this.draw();
      }),
      session.on("videoPaused", ({ participant, source, reason }) => {
        const words = pauseWords(source === "screen" ? "Screen" : "Video", reason);
        if (words) announce(`${nameOf(participant)}: ${words}`);
        this.draw();
      }),
      session.on("playbackBlocked", ({ blocked }) => this.floor.soundBlocked(blocked)),
      session.on("mediaError", ({ error }) => toast(errorWords(error))),
      session.on("stateChanged", ({ state, previous }) => {
        if (previous === "connected") this.waitingSince = Date.now();
        if (state === "connected" && previous === "reconnecting") announceNow("Connected again.");
        this.draw();
      }),
      watchSpeaking(session, (speaking) => this.floor.speaking(speaking)),
    );
  }

  private draw(): void {
    const { line, session } = this;
    setText(this.title, line.peer.name);
    this.element.dataset.phase = line.phase;
    const people = session ? session.participants.length + 1 : 0;
    setText(this.countWord, String(people));
    const hands = session?.hands.length ?? 0;
    setText(this.handCount.lastElementChild!, String(hands));
    show(this.handCount, hands > 0);
    setAttribute(this.count, "aria-label", `${plural(people, "person", "people")}${hands ? `, ${plural(hands, "raised hand")}` : ""}`);
    show(this.count, line.peer.group && Boolean(session));
    show(this.inviting, Boolean(this.actions.invite && line.meeting && session));
    show(this.endForAll, line.peer.group && line.phase === "talking" && Boolean(session?.rights.moderate));
    this.tools.update({
      ready: Boolean(session),
      video: line.type === "video",
      microphoneOn: session?.local.microphoneOn ?? true,
      cameraOn: session?.local.cameraOn ?? line.type === "video",
      screenOn: session?.local.screenOn ?? false,
      hands: line.peer.group,
      handUp: session?.local.raisedAt !== undefined,
      may: (source) => session?.rights.publish.includes(source) ?? true,
      hangUpWord: line.phase === "calling" ? "Cancel" : line.peer.group ? "Leave" : "Hang up",
    });
    show(this.sharing, session?.local.screenOn ?? false);
    this.floor.draw(line);
    this.tick();
  }

  private trouble(): string {
    const { session } = this;
    const stuck = session && session.state !== "connected" && Date.now() - this.waitingSince > patienceMilliseconds;
    if (stuck && navigator.onLine !== false && this.client.state === "connected") {
      return connectHint(navigator.userAgent, new URL(location.href), session.peerConnection?.remoteDescription?.sdp ?? "");
    }
    if (session?.state === "reconnecting") return "Reconnecting… the call comes back by itself.";
    if (navigator.onLine === false) return "You are offline.";
    if (this.client.state === "reconnecting") return "No connection to the server. The call goes on while we try again…";
    return "";
  }

  private tick(): void {
    const trouble = this.trouble();
    if (trouble !== this.banner.lastElementChild!.textContent && trouble) announceNow(trouble);
    setText(this.banner.lastElementChild!, trouble);
    show(this.banner, trouble !== "");
    if (this.line.phase === "calling") setText(this.timer, "Ringing…");
    else if (!this.talkingSince) setText(this.timer, "Connecting…");
    else setText(this.timer, clock(Date.now() - this.talkingSince));
  }

  private toggle(source: "microphone" | "camera" | "screen"): void {
    const { session } = this;
    if (!session?.rights.publish.includes(source)) return;
    const { local } = session;
    const change =
      source === "microphone" ? session.setMicrophone(!local.microphoneOn)
      : source === "camera" ? session.setCamera(!local.cameraOn)
      : local.screenOn ? session.stopScreenShare()
      : session.shareScreen({ audio: true });
    change.catch((error) => {
      // Closing the browser's own picker is no mistake.
      if (source === "screen" && error?.code === "MEDIA_NOT_ALLOWED") return;
      toast(errorWords(error));
    });
  }

  private raise(): void {
    const { session, line } = this;
    if (!session || !line.peer.group) return;
    const change = session.local.raisedAt === undefined ? session.raiseHand() : session.lowerHand();
    change.catch((error) => toast(errorWords(error)));
  }

  private escape(): void {
    if (this.line.phase === "calling" || Date.now() - this.escapedAt < confirmMilliseconds) return void this.phone.hangUp();
    this.escapedAt = Date.now();
    toast("Press Esc again to hang up.");
  }

  private listen(target: EventTarget, name: string, listener: () => void): void {
    target.addEventListener(name, listener);
    this.undo.push(() => target.removeEventListener(name, listener));
  }
}

function nameOf(participant: RemoteParticipant): string {
  return participant.user.name || participant.user.uid;
}

/** What a moderator has muted here; the operator has no name. */
function mutedWords(source: Source, by: User): string {
  const who = by.name || by.uid || "The operator";
  if (source === "microphone") return `${who} muted your microphone. You can turn it on again.`;
  if (source === "camera") return `${who} turned your camera off. You can turn it on again.`;
  return `${who} stopped your screen share.`;
}
