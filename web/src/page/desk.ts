// The signed-in page: joins the phone to the screens, sounds, title and history.

import { codeOf, type Call, type CallType, type Parley, type ParleyError, type User } from "../sdk/index.js";
import { announceNow } from "./announce.js";
import type { ServerConfig } from "./api.js";
import { openDevices } from "./devices.js";
import { peerOf } from "./history.js";
import { Home } from "./home.js";
import { openInvite } from "./invite.js";
import { toast } from "./layers.js";
import { Phone, type Line } from "./phone.js";
import type { Wish } from "./pushed.js";
import { showRinging } from "./ringing.js";
import { playEnded, playJoined, startLoop, stopLoop, unlockSound } from "../look/sounds.js";
import { Stage } from "./stage.js";
import { canStandBy, clearNotification, standBy, standDown, standingBy } from "./standby.js";
import { flashTitle, setTitle, stopFlashing } from "./title.js";
import { closingWords, errorWords, goneWords, spokenLength } from "../look/words.js";

interface Notice {
  text: string;
  bad?: boolean;
  button?: string;
  action?: () => void;
}

/** A notice that asks for nothing goes away by itself. */
const noticeMilliseconds = 20_000;

export class Desk {
  private readonly phone: Phone;
  private readonly home: Home;
  private readonly undo: (() => void)[] = [];
  private readonly connectedSound = new WeakSet<Line>();
  private stage: Stage | undefined;
  private ringing: { sessionId: string; busy: boolean; hide: () => void } | undefined;
  private last: Notice | undefined;
  private fading: number | undefined;
  private elsewhere: Call[] = [];

  /** left runs when the user signs out or the server refuses the sign-in for good, with what to say about it. */
  constructor(
    private readonly root: HTMLElement,
    private readonly client: Parley,
    private readonly me: User,
    private readonly token: () => string,
    private readonly config: ServerConfig,
    left: (message: string) => void,
  ) {
    this.phone = new Phone(client, me);
    const actions = {
      dial: (receiver: { id: string; name: string }, receiverType: "user" | "group", type: CallType) => void this.dial(receiver, receiverType, type),
      meet: (session?: string) => void this.meet(session),
      settings: () => openDevices(undefined),
      signOut: () => void this.leave().then(() => left("")),
      ...(canStandBy(config) && { standby: () => void this.toggleStandby(token()) }),
    };
    this.home = new Home(client, me, token, actions, config.dev);
    this.undo.push(
      this.phone.on("ringing", () => this.drawRinging()),
      this.phone.on("line", ({ line }) => this.drawLine(line)),
      this.phone.on("finished", ({ line, reason, error }) => this.finished(line, reason, error)),
      this.phone.on("passed", ({ call, reason }) => this.passed(call, reason)),
      this.phone.on("missed", ({ call }) => this.missed(call)),
      this.phone.on("elsewhere", () => void this.look()),
      client.on("connected", () => void this.look()),
      client.on("draining", () => toast("The server restarts soon. Running calls go on; new ones have to wait.")),
      client.on("disconnected", ({ reason }) => reason === "requested" || left(goneWords(reason))),
    );
    const unlock = () => unlockSound();
    document.addEventListener("pointerdown", unlock);
    document.addEventListener("keydown", unlock);
    const warn = (event: BeforeUnloadEvent) => this.phone.line && event.preventDefault();
    window.addEventListener("beforeunload", warn);
    this.undo.push(() => {
      document.removeEventListener("pointerdown", unlock);
      document.removeEventListener("keydown", unlock);
      window.removeEventListener("beforeunload", warn);
    });
    const summoned = (event: MessageEvent) => {
      const { parley, sessionId } = event.data ?? {};
      if (parley) event.ports[0]?.postMessage(this.phone.granted(parley, sessionId));
    };
    navigator.serviceWorker?.addEventListener("message", summoned);
    this.undo.push(() => navigator.serviceWorker?.removeEventListener("message", summoned));
    this.drawLine(undefined);
    void this.look();
    void standingBy().then((who) => {
      this.home.setStandby(who?.uid === me.uid);
      if (who?.uid !== me.uid || !canStandBy(config) || Notification.permission !== "granted") return;
      void standBy(client, config, { uid: me.uid, token: token() }).catch(() => undefined); // browsers renew subscriptions
    });
  }

  /** The page was opened by the notification of a call. */
  async summon(wish: Wish, sessionId: string): Promise<void> {
    try {
      if (!(await this.phone.summoned(wish, sessionId))) this.say({ text: "That call rings no more." });
    } catch (error) {
      this.say({ text: errorWords(error), bad: true });
    }
  }

  remove(): void {
    void this.phone.hangUp();
    window.clearTimeout(this.fading);
    this.ringing?.hide();
    stopLoop();
    stopFlashing();
    this.undo.forEach((undo) => undo());
    this.stage?.remove();
    this.home.remove();
  }

  private async toggleStandby(token: string): Promise<void> {
    try {
      const on = (await standingBy())?.uid !== this.me.uid;
      if (on) await standBy(this.client, this.config, { uid: this.me.uid, token });
      else await standDown(this.client);
      this.home.setStandby(on);
      toast(on ? "This browser rings from now on when the page is closed." : "This browser rings only while the page is open.");
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
    }
  }

  /** Whoever signs out is not rung here any more. */
  private async leave(): Promise<void> {
    if ((await standingBy())?.uid === this.me.uid) await standDown(this.client).catch(() => undefined);
  }

  private async dial(receiver: { id: string; name: string; avatar?: string }, receiverType: "user" | "group", type: CallType): Promise<void> {
    if (this.phone.line) return;
    unlockSound();
    this.say(undefined);
    try {
      await this.phone.dial(receiver, receiverType, type);
    } catch (error) {
      const known = (error as ParleyError).details?.sessionId;
      if (typeof known === "string" && (await this.meantThat(codeOf(error), known, receiver.id))) return this.enter(known);
      void this.look();
      this.say({ text: errorWords(error), bad: true });
    }
  }

  /** Whether the call that keeps a new one from being made is the one the user wants: the group's, or the other's to us. */
  private async meantThat(code: string, sessionId: string, receiverId: string): Promise<boolean> {
    if (code === "ERR_CALL_BUSY_GROUP") return true;
    if (code !== "ERR_CALL_BUSY_SELF") return false;
    const call = await this.client.calls.get(sessionId).catch(() => undefined);
    return call?.status === "initiated" && call.initiator.uid === receiverId;
  }

  /** Goes into a meeting; a new one shows its link at once. */
  private async meet(session?: string): Promise<void> {
    if (this.phone.line) return;
    unlockSound();
    this.say(undefined);
    const name = session ?? `meeting-${[...crypto.getRandomValues(new Uint8Array(3))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    try {
      const inside = await this.phone.meet(name);
      if (!session && inside) openInvite(this.token(), name);
    } catch (error) {
      this.say({ text: errorWords(error), bad: true });
    }
  }

  private async enter(sessionId: string): Promise<void> {
    unlockSound();
    this.say(undefined);
    try {
      await this.phone.enter(sessionId);
    } catch (error) {
      this.say({ text: errorWords(error), bad: true });
      void this.look();
    }
  }

  private drawLine(line: Line | undefined): void {
    if (line) {
      if (this.stage) this.stage.update(line);
      else {
        this.home.hide();
        this.stage = new Stage(this.root, this.phone, this.client, line, {
          settings: openDevices,
          ...(this.config.dev && { invite: (meeting: string) => openInvite(this.token(), meeting) }),
        });
      }
      const talking = line.phase === "talking";
      setTitle(talking ? `In call with ${line.peer.name}` : line.phase === "calling" ? `Calling ${line.peer.name}` : line.peer.name);
    } else {
      this.stage?.remove();
      this.stage = undefined;
      setTitle("");
      this.home.show(this.root);
      this.drawNotices();
    }
    this.drawRinging();
    this.sound();
  }

  private drawRinging(): void {
    const [call] = this.phone.ringing;
    if (this.ringing && this.ringing.sessionId !== call?.sessionId) void clearNotification(this.ringing.sessionId);
    const busy = Boolean(this.phone.line);
    if (this.ringing && (this.ringing.sessionId !== call?.sessionId || this.ringing.busy !== busy)) {
      this.ringing.hide();
      this.ringing = undefined;
    }
    if (call && !this.ringing) {
      const hide = showRinging(call, this.me, busy, {
        accept: (ringing, camera) => void this.phone.answer(ringing, camera),
        decline: (ringing) => void this.phone.decline(ringing).catch((error) => toast(errorWords(error))),
      });
      this.ringing = { sessionId: call.sessionId, busy, hide };
      flashTitle(`☎ ${call.initiator.name || call.initiator.uid} is calling`);
    }
    if (!call) stopFlashing();
    this.sound();
  }

  /** The right sound for the present state: ring unless in a call, ringback while calling. */
  private sound(): void {
    const { line } = this.phone;
    if (line?.phase === "calling" && line.call) startLoop("ringback");
    else if (this.phone.ringing.length > 0 && !line) startLoop("ring");
    else stopLoop();
    if (line?.phase === "talking" && !this.connectedSound.has(line)) {
      this.connectedSound.add(line);
      playJoined();
    }
  }

  private finished(line: Line, reason: string, error: unknown): void {
    playEnded();
    this.home.drawHistory();
    this.home.clearSearch();
    const text = error ? errorWords(error) : endWords(line, reason);
    const again = line.call?.initiator.uid === this.me.uid && ["unanswered", "busy", "lost", "failed", "never_joined"].includes(reason);
    const receiverType = line.peer.group ? "group" : "user";
    const { meeting } = line;
    const back = meeting && !["removed", "ended_for_all"].includes(reason);
    const button = back ? { button: "Come back", action: () => void this.meet(meeting) } : again && !meeting ? { button: "Call again", action: () => void this.dial(line.peer, receiverType, line.type) } : {};
    this.say({ text, bad: Boolean(error), ...button });
  }

  private passed(call: Call, reason: string): void {
    const peer = peerOf(call, this.me.uid);
    if (reason === "answered_elsewhere" || reason === "declined_elsewhere") {
      this.say({ text: `${closingWords(reason)} (${peer.name}).` });
      this.home.drawHistory();
    } else if (reason === "rejected") {
      this.say({ text: `You declined the call from ${peer.name}.` });
      this.home.drawHistory();
    }
  }

  private missed(call: Call): void {
    this.home.drawHistory();
    const peer = peerOf(call, this.me.uid);
    const receiverType = peer.group ? "group" : "user";
    this.say({ text: `Missed ${call.type} call from ${call.initiator.name || call.initiator.uid}.`, button: "Call back", action: () => void this.dial(peer, receiverType, call.type) });
    if (this.phone.line) toast(`${call.initiator.name || call.initiator.uid} tried to call you.`);
  }

  /** Looks which of this user's calls go on without this page. */
  private async look(): Promise<void> {
    try {
      this.elsewhere = await this.phone.others();
    } catch {
      return;
    }
    this.drawNotices();
  }

  private say(notice: Notice | undefined): void {
    this.last = notice;
    window.clearTimeout(this.fading);
    if (notice && !notice.bad && !notice.button) this.fading = window.setTimeout(() => this.say(undefined), noticeMilliseconds);
    if (notice) announceNow(notice.text);
    this.drawNotices();
  }

  private drawNotices(): void {
    const running = this.elsewhere.map((call) => ({
      text: call.receiverType === "session" ? `${peerOf(call, this.me.uid).name} goes on.` : `Your call with ${peerOf(call, this.me.uid).name} goes on.`,
      button: "Join here",
      action: () => void this.enter(call.sessionId),
    }));
    this.home.setNotices([...running, ...(this.last ? [this.last] : [])]);
  }
}

/** How the open call ended and, if there was talk, how long it was. */
function endWords(line: Line, reason: string): string {
  const group = line.peer.group;
  const words = closingWords(group && reason === "hangup" ? "left_group" : reason, group ? "" : line.peer.name);
  const { startedAt, endedAt } = line.call ?? {};
  if (!startedAt || !["hangup", "left", "ended"].includes(reason)) return words;
  return `${words} after ${spokenLength((endedAt || Date.now()) - startedAt)}`;
}
