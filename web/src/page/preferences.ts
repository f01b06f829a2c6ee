// What the user chose once and expects to find again: devices and single-key shortcuts. Kept in localStorage.

import type { Devices } from "../sdk/index.js";

export interface Preferences {
  devices: Devices;
  /** Whether M, V and the like work without Ctrl; some assistive software types letters as commands. */
  shortcuts: boolean;
}

const key = "parley.preferences";

let current: Preferences = read();

/** The choices as they are now. */
export function preferences(): Readonly<Preferences> {
  return current;
}

/** Changes some of them and keeps them. */
export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // They hold until the tab closes.
  }
}

function read(): Preferences {
  const fallback: Preferences = { devices: {}, shortcuts: true };
  try {
    const value = JSON.parse(localStorage.getItem(key) ?? "{}");
    return { devices: value.devices ?? {}, shortcuts: value.shortcuts !== false };
  } catch {
    return fallback;
  }
}
