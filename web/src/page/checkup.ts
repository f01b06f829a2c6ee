// The dialog that tests the connection: a traffic light in words, and how each way went.

import type { ConnectionTest, ConnectionTestName, ConnectionTestResult, Parley } from "../sdk/index.js";
import { announce } from "./announce.js";
import { h, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { openSheet } from "./layers.js";

const names: Record<ConnectionTestName, string> = {
  signaling: "Server",
  udp: "Media over UDP",
  tcp: "Media over TCP",
  turnUdp: "Relay over UDP",
  turnTcp: "Relay over TCP",
  turnTls: "Relay over TLS",
  bitrate: "Speed",
};
const order = Object.keys(names) as ConnectionTestName[];

const lights: Record<ConnectionTest["light"], { title: string; text: string }> = {
  green: { title: "Ready for calls", text: "Sound and video will be good here." },
  yellow: { title: "Calls will work, with losses", text: "Media has no direct way, or little room. Another network may be better." },
  red: { title: "No calls from here", text: "Nothing gets through for sound and video. Ask whoever runs this network, or use another one." },
};

/** One result in a few words. */
export function resultWords({ name, result, timeMs, reason, bitrate }: ConnectionTestResult): string {
  if (name === "bitrate" && bitrate !== undefined) {
    const speed = `${(bitrate / 1e6).toFixed(1)} Mbit/s`;
    return reason ? `${speed}. ${reason}` : speed;
  }
  if (result === "passed") return `${timeMs} ms`;
  return reason;
}

/** What one row says in a word, besides its colour and picture. */
const words: Record<ConnectionTestResult["result"], string> = { passed: "works", failed: "does not work", skipped: "not tested" };

/** Opens the dialog and begins at once. */
export function openCheckup(client: Parley): void {
  if (document.querySelector("dialog[open]")) return;
  const giveUp = new AbortController();
  const light = h("div", { class: "light", "data-light": "waiting", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  const title = h("p", { class: "light-title" });
  const text = h("p", { class: "hint" });
  const again = h("button", { class: "button", type: "button", on: { click: () => void run() } }, "Test again");
  const rows = new Map(order.map((name) => [name, row(names[name])]));

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
    setText(title, lights[test.light].title);
    setText(text, lights[test.light].text);
    announce(`${lights[test.light].title}. ${lights[test.light].text}`);
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
      setText(verdict, ` ${words[result.result]}`);
      setText(note, resultWords(result));
      show(note, note.textContent !== "");
    },
  };
}
