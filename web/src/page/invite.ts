// The dialog that makes a link to a meeting, for guests.

import { errorWords } from "../look/words.js";
import { invite } from "./api.js";
import { h, show } from "./dom.js";
import { icon } from "./icons.js";
import { openSheet } from "./layers.js";

const lifetimes: [label: string, seconds: number][] = [["1 hour", 3600], ["1 day", 86_400], ["1 week", 604_800], ["30 days", 2_592_000]];

/** The address that opens the page with an invitation. It is in the fragment, which browsers send to nobody. */
export function linkOf(invitation: string, origin = location.origin): string {
  return `${origin}/#invitation=${invitation}`;
}

/** The invitation that the page was opened with, if any. */
export function invitationOf(fragment: string): string | undefined {
  return /^#invitation=([\w.-]+)$/.exec(fragment)?.[1];
}

/** Opens the dialog and makes a first link at once. */
export function openInvite(token: string, session: string): void {
  if (document.querySelector("dialog[open]")) return;
  const link = h("input", { class: "input", id: "invite-link", type: "text", readonly: true, on: { focus: () => link.select() } });
  const lifetime = h("select", { class: "input", id: "invite-lifetime", on: { change: () => void make() } }, ...lifetimes.map(([label, seconds]) => h("option", { value: seconds, selected: seconds === 86_400 }, label)));
  const watch = h("input", { type: "checkbox", id: "invite-watch", on: { change: () => void make() } });
  const until = h("p", { class: "hint", role: "status" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const copyWord = h("span", {}, "Copy link");
  const copy = h("button", { class: "button primary", type: "button", on: { click: () => void take() } }, icon("link"), copyWord);
  let asked = 0;

  const make = async () => {
    const turn = ++asked;
    copy.disabled = true;
    copyWord.textContent = "Copy link";
    show(problem, false);
    try {
      const { invitation, expiresAt } = await invite(token, session, Number(lifetime.value), watch.checked);
      if (turn !== asked) return;
      link.value = linkOf(invitation);
      until.textContent = `Works until ${new Date(expiresAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}, for as many people as have it.`;
      copy.disabled = false;
    } catch (error) {
      if (turn !== asked) return;
      link.value = "";
      problem.textContent = errorWords(error);
      show(problem, true);
    }
  };
  const take = async () => {
    try {
      await navigator.clipboard.writeText(link.value);
      copyWord.textContent = "Copied";
    } catch {
      link.focus(); // selects it: the user copies by hand where the page may not
    }
  };

  openSheet("Invite people", [
    h(
      "div",
      { class: "sheet-body" },
      h("div", { class: "field" }, h("label", { for: "invite-link" }, "Link"), link, until),
      h("div", { class: "field" }, h("label", { for: "invite-lifetime" }, "How long it works"), lifetime),
      h("label", { class: "check", for: "invite-watch" }, watch, h("span", {}, "Guests only watch and listen")),
      problem,
      h("div", { class: "foot" }, copy),
    ),
  ]);
  copy.focus();
  void make();
}
