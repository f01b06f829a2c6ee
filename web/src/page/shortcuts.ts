// Single keys for what one does often. They can be switched off in the device dialog, and they rest while one types.

import { h } from "./dom.js";
import { openSheet } from "./layers.js";
import { preferences } from "./preferences.js";

/** What each key does at present; a key without an action does nothing. Letters are lower case. */
export type Keys = Partial<Record<string, () => void>>;

const maps: Keys[] = [];

/** Puts keys on top of those already in force, until the returned function is called. */
export function useKeys(keys: Keys): () => void {
  maps.push(keys);
  return () => {
    const at = maps.indexOf(keys);
    if (at >= 0) maps.splice(at, 1);
  };
}

/** Starts listening, once per page. */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    // A dialog has its own keys; what lies under it keeps still.
    if (document.querySelector("dialog[open]:not([data-keys])")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key.length === 1 && !preferences().shortcuts) return;
    const action = maps[maps.length - 1]?.[key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

const list: [string, string][] = [
  ["M", "Mute or unmute the microphone"],
  ["V", "Camera on or off"],
  ["S", "Share the screen or stop"],
  ["H", "Raise or lower your hand, in a call of several"],
  ["Esc", "Cancel a ringing call; twice hangs up a running one"],
  ["A", "Accept an incoming call"],
  ["D", "Decline an incoming call"],
  ["/", "Find a person to call"],
  ["?", "This list"],
];

/** Opens the list of keys. */
export function openKeyList(): void {
  if (document.querySelector("dialog[open]")) return;
  const rows = list.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]);
  openSheet("Keyboard shortcuts", [
    h("dl", { class: "keys" }, ...rows),
    h("p", { class: "hint" }, preferences().shortcuts ? "Single letters can be switched off under Devices." : "Single letters are switched off; see Devices."),
  ]);
}
