// The dialog that tests the connection: a traffic light in words, and how each way went.

import { partNames, parts, resultWords, summary, verdicts } from "../look/checkup.js";
import type { ConnectionTestResult, Parley } from "../sdk/index.js";
import { announce } from "./announce.js";
import { h, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { openSheet } from "./layers.js";

/** Opens the dialog and begins at once. */
export function openCheckup(client: Parley): void {
  if (document.querySelector("dialog[open]")) return;
  const giveUp = new AbortController();
  const light = h("div", { class: "light", "data-light": "waiting", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  const title = h("p", { class: "light-title" });
  const text = h("p", { class: "hint" });
  const again = h("button", { class: "button", type: "button", on: { click: () => void run() } }, "Test again");
  const rows = new Map(parts.map((name) => [name, row(partNames[name])]));

  const run = async () => {
    again.disabled = true;
    light.dataset.light = "waiting";
    setText(title, "Testing…");
    setText(text, "This takes some 8 seconds. A picture is sent to the server and back; your camera stays off.");
    rows.forEach((each) => each.wait());
    const test = await client.connectionTest({ signal: giveUp.signal, progress: (result) => rows.get(result.name)?.set(result) });
    if (giveUp.signal.aborted) return;
    again.disabled = false;
    light.dataset.light = test.light;
    const said = summary(test);
    setText(title, said.title);
    setText(text, said.text);
    announce(`${said.title}. ${said.text}`);
  };

  openSheet(
    "Test my connection",
    [
      h(
        "div",
        { class: "sheet-body" },
        h("div", { class: "light-head" }, light, h("div", {}, title, text)),
        h("ul", { class: "rows checks", role: "list", "aria-label": "Results" }, ...[...rows.values()].map((each) => each.element)),
        h("div", { class: "foot" }, again),
      ),
    ],
    () => giveUp.abort(),
  );
  void run();
}

function row(name: string) {
  const marks = { passed: icon("check"), failed: icon("close"), skipped: icon("minus") };
  const mark = h("span", { class: "mark" });
  const verdict = h("span", { class: "unseen" });
  const note = h("span", { class: "row-note" });
  const element = h("li", { class: "row", "data-result": "waiting" }, mark, h("span", { class: "row-text" }, h("span", { class: "row-name" }, name, verdict), note));
  show(note, false);
  return {
    element,
    wait() {
      element.dataset.result = "waiting";
      mark.replaceChildren();
      setText(verdict, " is being tested");
      show(note, false);
    },
    set(result: ConnectionTestResult) {
      element.dataset.result = result.result;
      mark.replaceChildren(marks[result.result]);
      setText(verdict, ` ${verdicts[result.result]}`);
      setText(note, resultWords(result));
      show(note, note.textContent !== "");
    },
  };
}
