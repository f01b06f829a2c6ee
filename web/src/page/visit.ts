// A guest's visit to a meeting: the door with name and devices, the call, and what is said at the end.

import { codeOf, Parley, readInvitation, redeemInvitation, type Admission, type InvitationContent, type Source } from "../sdk/index.js";
import { playEnded, playJoined, unlockSound } from "../look/sounds.js";
import { closingWords, errorWords, goneWords } from "../look/words.js";
import { announceNow } from "./announce.js";
import type { ServerConfig } from "./api.js";
import { openDevices, Preview } from "./devices.js";
import { h, show } from "./dom.js";
import { meetingName } from "./history.js";
import { Phone } from "./phone.js";
import { Stage } from "./stage.js";
import { setTitle } from "./title.js";

/** What lets somebody in: an invitation, which anybody turns into a guest's token, or a token for one session. */
export type Pass = { invitation: string } | { token: string };

/** What a tab keeps of a guest, who is the same one after a reload. */
interface Kept {
  invitation: string;
  name: string;
  admission: Admission;
}

const keptKey = "parley.visit";
const nameKey = "parley.guestName";
/** Ends after which nobody comes back through the same door. */
const final = new Set(["removed", "ended_for_all"]);

export class Visit {
  private readonly content: InvitationContent | undefined;
  private readonly title: string;

  constructor(
    private readonly root: HTMLElement,
    private readonly config: ServerConfig,
    private readonly pass: Pass,
  ) {
    this.content = readInvitation("token" in pass ? pass.token : pass.invitation);
    this.title = this.content ? meetingName(this.content.session) : "";
  }

  /** Shows the door, or why there is none. */
  open(): void {
    const { content } = this;
    if (!content) return this.say("This is not an invitation", "A part of the link may be missing. Ask whoever sent it to send it again.");
    if (content.expiresAt <= Date.now()) return this.expired();
    this.door(content);
  }

  private door(content: InvitationContent, message = ""): void {
    setTitle(this.title);
    const may = (source: Source) => content.publish?.includes(source) ?? true;
    const name = h("input", { class: "input", id: "guest-name", type: "text", required: true, maxlength: 64, autocomplete: "name", value: lastName() });
    const microphone = h("input", { type: "checkbox", id: "guest-mic", checked: true, on: { change: () => look() } });
    const camera = h("input", { type: "checkbox", id: "guest-camera", checked: true, on: { change: () => look() } });
    const problem = h("p", { class: "problem", role: "alert", hidden: !message }, message);
    const preview = may("microphone") || may("camera") ? new Preview() : undefined;
    const fail = (error: unknown) => {
      problem.textContent = errorWords(error);
      show(problem, true);
    };
    const look = () => {
      show(problem, false);
      preview?.start({ audio: may("microphone") && microphone.checked, video: may("camera") && camera.checked }).catch(fail);
    };
    const submit = h("button", { class: "button primary", type: "submit" }, "Join");
    const join = async (event: Event) => {
      event.preventDefault();
      const who = name.value.trim();
      if (!who && "invitation" in this.pass) {
        fail(new Error("Say what the others shall call you."));
        return name.focus();
      }
      unlockSound();
      submit.setAttribute("aria-busy", "true");
      preview?.stop(); // a phone opens its camera once
      await this.enter(content, who, { startAudioMuted: !microphone.checked, startVideoPaused: !camera.checked });
    };
    const choice = (input: HTMLInputElement, word: string) => h("label", { class: "check", for: input.id }, input, h("span", {}, word));
    this.card(
      h("div", {}, h("h1", {}, this.title), h("p", { class: "hint" }, preview ? "You are invited to this meeting." : "You are invited to watch and listen.")),
      preview?.element,
      h(
        "form",
        { novalidate: true, on: { submit: (event: Event) => void join(event) } },
        "invitation" in this.pass && h("div", { class: "field" }, h("label", { for: "guest-name" }, "Your name"), name),
        h("div", { class: "door-choices" }, may("microphone") && choice(microphone, "Microphone on"), may("camera") && choice(camera, "Camera on")),
        problem,
        submit,
      ),
    );
    (name.isConnected ? name : submit).focus();
    look();
  }

  private async enter(content: InvitationContent, name: string, options: { startAudioMuted: boolean; startVideoPaused: boolean }): Promise<void> {
    let client: Parley | undefined;
    try {
      const token = "token" in this.pass ? this.pass.token : await admitted(this.pass.invitation, name);
      client = new Parley({ token, client: { name: "parley-page", version: this.config.version } });
      const me = await client.connect();
      await this.call(client, new Phone(client, me), content, options);
    } catch (error) {
      client?.disconnect();
      if (codeOf(error) === "ERR_UNAUTHORIZED") return content.expiresAt <= Date.now() ? this.expired() : this.say("This invitation is not valid", "It was not made by this server, or has been withdrawn.");
      if (codeOf(error) === "ERR_CALL_NOT_ALLOWED") return this.say("You cannot come in", "Somebody may have removed you from this meeting.");
      this.door(content, errorWords(error));
    }
  }

  /** The call itself; resolves once the guest is in. */
  private async call(client: Parley, phone: Phone, content: InvitationContent, options: { startAudioMuted: boolean; startVideoPaused: boolean }): Promise<void> {
    let stage: Stage | undefined;
    let entered = false;
    const undo: (() => void)[] = [];
    const over = (words: string, mayReturn: boolean) => {
      stage?.remove();
      undo.forEach((off) => off());
      client.disconnect();
      playEnded();
      this.goodbye(words, mayReturn);
    };
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    undo.push(
      () => window.removeEventListener("beforeunload", warn),
      phone.on("line", ({ line }) => {
        if (!line) return void stage?.remove();
        if (stage) stage.update(line);
        else stage = new Stage(this.root, phone, client, line, { settings: openDevices });
        if (line.phase === "talking") setTitle(`In ${this.title}`);
      }),
      phone.on("finished", ({ reason, error }) => over(error ? errorWords(error) : closingWords(reason === "hangup" ? "left_group" : reason), !final.has(reason))),
      client.on("disconnected", ({ reason }) => {
        if (entered && reason !== "requested") over(goneWords(reason), true);
      }),
    );
    try {
      entered = await phone.meet(content.session, options);
      if (entered) playJoined();
    } catch (error) {
      undo.forEach((off) => off());
      throw error;
    }
  }

  private goodbye(words: string, mayReturn: boolean): void {
    setTitle("");
    announceNow(words);
    const back = h("button", { class: "button primary", type: "button", on: { click: () => this.open() } }, "Come back");
    this.card(h("div", {}, h("h1", {}, words), h("p", { class: "hint" }, mayReturn ? "The meeting goes on without you." : "You may close this page.")), mayReturn && back);
    if (mayReturn) back.focus();
  }

  private expired(): void {
    const until = this.content && new Date(this.content.expiresAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    this.say("This invitation has expired", `It worked until ${until}. Ask whoever sent it for a new one.`);
  }

  private say(title: string, text: string): void {
    setTitle(title);
    this.card(h("div", {}, h("h1", {}, title), h("p", { class: "hint" }, text)), h("a", { class: "button quiet", href: "/" }, "To the sign-in"));
  }

  private card(...children: (Node | false | undefined)[]): void {
    const brand = h("div", { class: "brand" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("span", {}, "Parley"));
    this.root.replaceChildren(h("main", { class: "gate" }, h("div", { class: "gate-card" }, brand, ...children)));
  }
}

/** A guest's token; the one that this tab has already, after a reload. */
async function admitted(invitation: string, name: string): Promise<string> {
  const known = kept();
  if (known?.invitation === invitation && known.name === name && known.admission.expiresAt > Date.now()) return known.admission.token;
  const admission = await redeemInvitation({ invitation, name });
  try {
    sessionStorage.setItem(keptKey, JSON.stringify({ invitation, name, admission } satisfies Kept));
    localStorage.setItem(nameKey, name);
  } catch {
    // After a reload this is another guest of the same name.
  }
  return admission.token;
}

function kept(): Kept | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(keptKey) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

function lastName(): string {
  try {
    return localStorage.getItem(nameKey) ?? "";
  } catch {
    return "";
  }
}
