// The dialog of one person: blocking and unblocking.

import type { Parley } from "../sdk/index.js";
import { errorWords } from "../look/words.js";
import { h, show } from "./dom.js";
import { icon } from "./icons.js";
import { openSheet, toast } from "./layers.js";

/** Opens the dialog; changed runs when the person is blocked, or no longer. */
export function openBlocking(client: Parley, person: { id: string; name: string }, blocked: boolean, changed: () => void): void {
  if (document.querySelector("dialog[open]")) return;
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const act = async () => {
    button.setAttribute("aria-busy", "true");
    try {
      if (blocked) await client.blocks.unblock(person.id);
      else await client.blocks.block(person.id);
      sheet.close();
      toast(blocked ? `${person.name} can call you again.` : `${person.name} is blocked.`);
      changed();
    } catch (error) {
      problem.textContent = errorWords(error);
      show(problem, true);
    } finally {
      button.removeAttribute("aria-busy");
    }
  };
  const button = h("button", { class: `button ${blocked ? "primary" : "danger"}`, type: "button", on: { click: () => void act() } }, icon("block"), blocked ? "Unblock" : "Block");
  const sheet = openSheet(person.name, [
    h(
      "div",
      { class: "sheet-body" },
      h("p", {}, blocked
        ? "You have blocked this person: neither of you can ring the other."
        : "Once blocked, neither of you can ring the other. They are not told. Groups and meetings stay open to both."),
      problem,
      h("div", { class: "foot" }, button),
    ),
  ]);
  button.focus();
}
