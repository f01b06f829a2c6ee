// The list of past calls, with the missed ones counted and findable.

import { h, setAttribute, setText, show } from "./dom.js";
import { avatar } from "./avatar.js";
import type { History, PastCall } from "./history.js";
import type { HomeActions } from "./home.js";
import { icon } from "./icons.js";
import { callButtons } from "./rows.js";
import { clock, dayWords } from "../look/words.js";

const outcomeWords = { missed: "Missed", incoming: "Incoming", outgoing: "Outgoing" } as const;

export class Recents {
  readonly element: HTMLElement;
  private readonly rows = h("ul", { class: "rows", role: "list", "aria-label": "Recent calls" });
  private readonly empty = h("p", { class: "empty" });
  private readonly badge = h("span", { class: "count" });
  private readonly all: HTMLButtonElement;
  private readonly missed: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;
  private missedOnly = false;

  constructor(
    private readonly history: History,
    private readonly actions: Pick<HomeActions, "dial">,
  ) {
    this.all = h("button", { class: "pill", type: "button", on: { click: () => this.filter(false) } }, "All");
    this.missed = h("button", { class: "pill", type: "button", on: { click: () => this.filter(true) } }, "Missed", this.badge);
    this.clear = h("button", { class: "button quiet", type: "button", on: { click: () => history.clear() } }, "Clear");
    this.element = h(
      "section",
      { class: "card", "aria-labelledby": "recents-title" },
      h("div", { class: "card-head" }, h("h2", { id: "recents-title" }, "Recent calls"), this.clear),
      h("div", { class: "pills", role: "group", "aria-label": "Which calls" }, this.all, this.missed),
      this.rows,
      this.empty,
    );
  }

  draw(): void {
    const unseen = this.history.unseen();
    setText(this.badge, String(unseen));
    show(this.badge, unseen > 0);
    setAttribute(this.missed, "aria-label", unseen ? `Missed, ${unseen} new` : "Missed");
    setAttribute(this.all, "aria-pressed", String(!this.missedOnly));
    setAttribute(this.missed, "aria-pressed", String(this.missedOnly));
    const calls = this.history.list().filter((call) => !this.missedOnly || call.outcome === "missed");
    this.rows.replaceChildren(...calls.slice(0, 30).map((call) => this.row(call)));
    setText(this.empty, this.missedOnly ? "No missed calls." : "Your calls will show up here.");
    show(this.empty, calls.length === 0);
    show(this.clear, this.history.list().length > 0);
  }

  private filter(missedOnly: boolean): void {
    this.missedOnly = missedOnly;
    this.history.markSeen();
    this.draw();
  }

  private row(call: PastCall): HTMLLIElement {
    const kind = `${outcomeWords[call.outcome]} ${call.type}${call.lasted ? ` · ${clock(call.lasted)}` : ""}`;
    const face = { id: call.peerId, name: call.peerName, group: call.receiverType === "group" };
    const dial = (type: "audio" | "video") => this.actions.dial({ id: call.peerId, name: call.peerName }, call.receiverType, type);
    return h(
      "li",
      { class: `row ${call.outcome}`, "data-session": call.sessionId },
      avatar(face),
      h("span", { class: "row-text" }, h("span", { class: "row-name" }, call.peerName), h("span", { class: "row-note" }, icon(call.outcome), kind)),
      h("time", { datetime: new Date(call.at).toISOString() }, dayWords(call.at)),
      callButtons(call.peerName, dial, [call.type]),
    );
  }
}
