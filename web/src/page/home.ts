// The home screen: whom to call, groups, past calls, and what has just happened.

import type { CallType, Group, Parley, User } from "../sdk/index.js";
import { listGroups, listUsers } from "./api.js";
import { avatar } from "./avatar.js";
import { openBlocking } from "./blocking.js";
import { openCheckup } from "./checkup.js";
import { h, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { openNewGroup } from "./newgroup.js";
import { Recents } from "./recents.js";
import { personRow } from "./rows.js";
import { openKeyList, useKeys } from "./shortcuts.js";

export interface HomeActions {
  dial(receiver: { id: string; name: string; avatar?: string }, receiverType: "user" | "group", type: CallType): void;
  /** Enters a meeting by its name; without one, starts a new one and shows its link. */
  meet(session?: string): void;
  settings(): void;
  signOut(): void;
  /** Turns ringing while the page is closed on and off; absent where that cannot be. */
  standby?: () => void;
}

const refreshMilliseconds = 15_000;
const linkWords: Record<string, string> = {
  connected: "Online",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  disconnected: "Not connected",
  idle: "Not connected",
};

export class Home {
  private readonly input = h("input", {
    class: "input", id: "find", type: "search", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 128,
    placeholder: "Name or user id", "aria-controls": "people", on: { input: () => this.drawPeople() },
  });
  private readonly people = h("ul", { class: "rows", id: "people", role: "list", "aria-label": "People" });
  private readonly groupRows = h("ul", { class: "rows", role: "list", "aria-label": "Groups" });
  private readonly nobody = h("p", { class: "empty", hidden: true });
  private readonly noGroups = h("p", { class: "empty", hidden: true }, "No groups yet.");
  private readonly linkWord = h("span", {});
  private readonly link = h("span", { class: "link-state", role: "status" }, this.linkWord);
  private readonly bell = h("button", {
    class: "button round quiet", type: "button", "aria-label": "Ring when this page is closed", title: "Ring when this page is closed",
    "aria-pressed": "false", on: { click: () => this.actions.standby?.() },
  }, icon("bell"));
  private readonly noticeBox = h("div", { class: "notices" });
  private readonly recents: Recents;
  private readonly element: HTMLElement;
  private readonly undo: (() => void)[] = [];
  private users: User[] = [];
  private blocked = new Set<string>();
  private groups: Group[] = [];

  constructor(
    private readonly client: Parley,
    private readonly me: User,
    private readonly token: () => string,
    private readonly actions: HomeActions,
    dev: boolean,
  ) {
    this.recents = new Recents(client, me, actions);
    this.element = h(
      "main",
      { class: "home" },
      this.bar(),
      this.noticeBox,
      h("div", { class: "columns" }, h("div", { class: "stack" }, this.callCard(), dev && this.meetingCard(), this.groupCard(dev)), h("div", { class: "stack" }, this.recents.element)),
    );
    this.undo.push(
      client.on("stateChanged", () => this.drawLink()),
      client.on("connected", () => void this.refresh()),
    );
    this.drawLink();
  }

  /** Puts the screen up and keeps its lists fresh until hide. */
  show(root: HTMLElement): void {
    root.replaceChildren(this.element);
    this.recents.refresh();
    void this.refresh();
    const timer = window.setInterval(() => document.hidden || void this.refresh(), refreshMilliseconds);
    const release = useKeys({ "/": () => this.input.focus(), "?": openKeyList });
    this.undo.push(() => window.clearInterval(timer), release);
    this.input.focus({ preventScroll: true });
  }

  hide(): void {
    while (this.undo.length > 2) this.undo.pop()!();
    this.element.remove();
  }

  /** Takes the screen down for good. */
  remove(): void {
    this.hide();
    this.undo.forEach((undo) => undo());
  }

  /** Empties the search field: the call it was for has been made. */
  clearSearch(): void {
    this.input.value = "";
    this.drawPeople();
  }

  /** Shows whether this browser rings when the page is closed. */
  setStandby(on: boolean): void {
    this.bell.setAttribute("aria-pressed", String(on));
  }

  /** Past calls have changed. */
  drawHistory(): void {
    this.recents.refresh();
  }

  /** Replaces what lies above the lists; each notice has a text and perhaps a button. */
  setNotices(notices: { text: string; bad?: boolean; button?: string; action?: () => void }[]): void {
    this.noticeBox.replaceChildren(
      ...notices.map(({ text, bad, button, action }) =>
        h(
          "div",
          { class: `notice${bad ? " bad" : ""}` },
          h("p", { class: "notice-text" }, text),
          button && h("button", { class: "button", type: "button", on: { click: () => action?.() } }, button),
        ),
      ),
    );
  }

  private bar(): HTMLElement {
    const round = (name: "sliders" | "pulse" | "keyboard" | "leave", label: string, action: () => void) =>
      h("button", { class: "button round quiet", type: "button", "aria-label": label, title: label, on: { click: action } }, icon(name));
    return h(
      "header",
      { class: "bar" },
      h("div", { class: "brand" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("span", {}, "Parley")),
      h("span", { class: "spring" }),
      this.link,
      h("div", { class: "me" }, avatar({ id: this.me.uid, name: this.me.name || this.me.uid, avatar: this.me.avatar }), h("span", {}, this.me.name || this.me.uid)),
      this.actions.standby && this.bell,
      round("sliders", "Devices", () => this.actions.settings()),
      round("pulse", "Test my connection", () => openCheckup(this.client)),
      round("keyboard", "Keyboard shortcuts", openKeyList),
      round("leave", "Sign out", () => this.actions.signOut()),
    );
  }

  private callCard(): HTMLElement {
    const submit = (type: CallType) => {
      const receiver = this.chosen();
      if (receiver) this.actions.dial(receiver, "user", type);
      else this.input.focus();
    };
    return h(
      "section",
      { class: "card dial", "aria-labelledby": "call-title" },
      h("h1", { id: "call-title" }, "Call someone"),
      h(
        "form",
        { class: "dial-row", role: "search", on: { submit: (event: Event) => (event.preventDefault(), submit("video")) } },
        h("div", { class: "find" }, icon("search"), h("label", { class: "unseen", for: "find" }, "Name or user id"), this.input),
        h("button", { class: "button", type: "button", on: { click: () => submit("audio") } }, icon("phone"), "Audio"),
        h("button", { class: "button primary", type: "submit" }, icon("camera"), "Video"),
      ),
      this.people,
      this.nobody,
    );
  }

  private meetingCard(): HTMLElement {
    return h(
      "section",
      { class: "card", "aria-labelledby": "meeting-title" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { id: "meeting-title" }, "Meetings"),
        h("button", { class: "button quiet", type: "button", on: { click: () => this.actions.meet() } }, icon("plus"), "Start a meeting"),
      ),
      h("p", { class: "hint" }, "Nobody is rung. Whoever has the link comes in, as a guest and without an account."),
    );
  }

  private groupCard(dev: boolean): HTMLElement {
    const create = () => openNewGroup(this.token(), this.users.filter((user) => user.uid !== this.me.uid), this.me, () => void this.refresh());
    return h(
      "section",
      { class: "card", "aria-labelledby": "groups-title" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { id: "groups-title" }, "Groups"),
        dev && h("button", { class: "button quiet", type: "button", on: { click: create } }, icon("plus"), "New group"),
      ),
      this.groupRows,
      this.noGroups,
    );
  }

  private drawLink(): void {
    setAttribute(this.link, "data-state", this.client.state === "disconnected" ? "closed" : this.client.state);
    setText(this.linkWord, linkWords[this.client.state] ?? this.client.state);
  }

  private async refresh(): Promise<void> {
    const [users, groups, blocked] = await Promise.allSettled([listUsers(this.token()), listGroups(this.token()), this.client.blocks.list()]);
    if (blocked.status === "fulfilled" && changed([...this.blocked], blocked.value.map((user) => user.uid))) {
      this.blocked = new Set(blocked.value.map((user) => user.uid));
      this.drawPeople();
    }
    if (users.status === "fulfilled" && changed(this.users, users.value)) {
      this.users = users.value;
      this.drawPeople();
    }
    if (groups.status === "fulfilled" && changed(this.groups, groups.value)) {
      this.groups = groups.value;
      this.drawGroups();
    }
    if (users.status === "fulfilled" && this.people.childElementCount === 0) this.drawPeople();
    show(this.noGroups, this.groups.length === 0);
  }

  private matches(): User[] {
    const wanted = this.input.value.trim().toLocaleLowerCase();
    return this.users.filter(
      (user) => user.uid !== this.me.uid && `${user.uid} ${user.name}`.toLocaleLowerCase().includes(wanted),
    );
  }

  /** Whom the field means: an exact id or name, the only match, or an id the list does not know. */
  private chosen(): { id: string; name: string; avatar?: string } | undefined {
    const typed = this.input.value.trim();
    if (!typed) return undefined;
    const matches = this.matches();
    const lower = typed.toLocaleLowerCase();
    const user =
      matches.find((match) => match.uid === typed) ??
      matches.find((match) => match.name.toLocaleLowerCase() === lower) ??
      (matches.length === 1 ? matches[0] : undefined);
    return user ? { id: user.uid, name: user.name, avatar: user.avatar } : { id: typed, name: typed };
  }

  private drawPeople(): void {
    const matches = this.matches();
    this.people.replaceChildren(
      ...matches.slice(0, 50).map((user) => {
        const face = { id: user.uid, name: user.name || user.uid, avatar: user.avatar };
        const blocked = this.blocked.has(user.uid);
        const note = blocked ? "Blocked" : face.name !== user.uid ? user.uid : "";
        return personRow(face, note, (type) => this.actions.dial(face, "user", type), () => openBlocking(this.client, face, blocked, () => void this.refresh()));
      }),
    );
    const typed = this.input.value.trim();
    setText(this.nobody, typed ? `Nobody here matches. You can still call “${typed}” by id.` : "Nobody else is here yet. Sign in as somebody else in a second window.");
    show(this.nobody, matches.length === 0);
  }

  private drawGroups(): void {
    this.groupRows.replaceChildren(
      ...this.groups.map((group) =>
        personRow({ id: group.guid, name: group.name || group.guid, group: true }, "", (type) =>
          this.actions.dial({ id: group.guid, name: group.name }, "group", type),
        ),
      ),
    );
  }
}

/** Rows are drawn again only when something changed, so that focus stays where it is. */
function changed(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}
