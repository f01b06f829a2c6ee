// What happens on the page, said to people who don't see it.

import { byId } from "./dom.js";

/** Says something when the reader has finished its sentence. */
export function announce(text: string): void {
  say("live-polite", text);
}

/** Interrupts: an incoming call, a lost connection. */
export function announceNow(text: string): void {
  say("live-now", text);
}

function say(region: string, text: string): void {
  const element = byId(region);
  // The same words twice would be no change to a screen reader; emptying first makes them one.
  element.textContent = "";
  window.setTimeout(() => {
    element.textContent = text;
  }, 50);
}
