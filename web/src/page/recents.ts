// The list of past calls, from the server's log, with the missed ones counted and findable.

import type { Parley, User } from "../sdk/index.js";
import { h, setAttribute, setText, show } from "./dom.js";
import { avatar } from "./avatar.js";
import { pastOf, Seen, type PastCall } from "./history.js";
import type { HomeActions } from "./home.js";
import { icon } from "./icons.js";
import { callButtons } from "./rows.js";
import { clock, dayWords, errorWords } from "../look/words.js";

const outcomeWords = { missed: "Missed", incoming: "Incoming", outgoing: "Outgoing" } as const;
const pageSize = 20;
/** The server writes its log a moment after a call has changed. */
const settleMilliseconds = 1500;

export class Recents {
  readonly element: HTMLElement;
  private readonly rows = h("ul", { class: "rows", role: "list", "aria-label": "Recent calls" });
  private readonly empty = h("p", { class: "empty" });
  private readonly badge = h("span", { class: "count" });
  private readonly all: HTMLButtonElement;
  private readonly missed: HTMLButtonElement;
  private readonly more: HTMLButtonElement;
  private readonly seen: Seen;
  private calls: PastCall[] = [];
  private next: string | undefined;
  private problem = "";
  private drawn = "";
  private missedOnly = false;
  /** Counts requests: only the answer to the newest is drawn. */
  private asked = 0;
  private timer: number | undefined;

  constructor(
    private readonly client: Parley,
    private readonly me: User,
    private readonly actions: Pick<HomeActions, "dial" | "meet">,
  ) {
    this.seen = new Seen(me.uid);
    this.all = h("button", { class: "pill", type: "button", on: { click: () => this.filter(false) } }, "All");
    this.missed = h("button", { class: "pill", type: "button", on: { click: () => this.filter(true) } }, "Missed", this.badge);
    this.more = h("button", { class: "button quiet", type: "button", on: { click: () => void this.load(this.next) } }, "Show more");
    this.element = h(
      "section",
      { class: "card", "aria-labelledby": "recents-title" },
      h("div", { class: "card-head" }, h("h2", { id: "recents-title" }, "Recent calls")),
      h("div", { class: "pills", role: "group", "aria-label": "Which calls" }, this.all, this.missed),
      this.rows,
      this.empty,
      this.more,
    );
    this.draw();
  }

  /** Something happened to a call: reads the log now, and again when the server has written it. */
  refresh(): void {
    void this.load();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), settleMilliseconds);
  }

  private async load(cursor?: string): Promise<void> {
    const turn = ++this.asked;
    try {
      const page = await this.client.calls.history({ limit: pageSize, ...(cursor && { cursor }), ...(this.missedOnly && { status: "missed" }) });
      if (turn !== this.asked) return;
      const over = page.calls.filter((call) => call.status !== "initiated" && call.status !== "ongoing");
      this.calls = [...(cursor ? this.calls : []), ...over.map((call) => pastOf(call, this.me.uid))];
      this.next = page.next;
      this.problem = "";
      if (this.missedOnly) this.seen.mark(this.calls);
    } catch (error) {
      if (turn !== this.asked) return;
      this.problem = errorWords(error);
    }
    this.draw();
  }

  private draw(): void {
    const unseen = this.seen.unseen(this.calls);
    setText(this.badge, String(unseen));
    show(this.badge, unseen > 0);
    setAttribute(this.missed, "aria-label", unseen ? `Missed, ${unseen} new` : "Missed");
    setAttribute(this.all, "aria-pressed", String(!this.missedOnly));
    setAttribute(this.missed, "aria-pressed", String(this.missedOnly));
    // Rows are drawn again only when something changed, so that focus stays where it is.
    const state = JSON.stringify(this.calls);
    if (state !== this.drawn) this.rows.replaceChildren(...this.calls.map((call) => this.row(call)));
    this.drawn = state;
    setText(this.empty, this.problem || (this.missedOnly ? "No missed calls." : "Your calls will show up here."));
    show(this.empty, this.calls.length === 0 || this.problem !== "");
    show(this.more, this.next !== undefined);
  }

  private filter(missedOnly: boolean): void {
    this.seen.mark(this.calls);
    this.missedOnly = missedOnly;
    this.draw();
    void this.load();
  }

  private row(call: PastCall): HTMLLIElement {
    const { peerId: id, peerName: name, receiverType, type } = call;
    const what = call.outcome === "meeting" ? "Meeting" : `${outcomeWords[call.outcome]} ${type}`;
    const kind = `${what}${call.lasted ? ` · ${clock(call.lasted)}` : ""}`;
    const again = receiverType === "session"
      ? h("button", { class: "button round", type: "button", "aria-label": `Enter ${name}`, title: `Enter ${name}`, on: { click: () => this.actions.meet(id) } }, icon("camera"))
      : callButtons(name, (as) => this.actions.dial({ id, name }, receiverType, as), [type]);
    return h(
      "li",
      { class: `row ${call.outcome}`, "data-session": call.sessionId },
      avatar({ id, name, group: receiverType !== "user" }),
      h("span", { class: "row-text" }, h("span", { class: "row-name" }, name), h("span", { class: "row-note" }, icon(call.outcome === "meeting" ? "group" : call.outcome), kind)),
      h("time", { datetime: new Date(call.at).toISOString() }, dayWords(call.at)),
      again,
    );
  }
}
