import { useCallback, useRef, useSyncExternalStore } from "react";
import type { Emitter } from "../sdk/index.js";

/** Whether two snapshots say the same: the same value, or arrays or plain objects whose entries are the same values. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (!Array.isArray(a) && Object.getPrototypeOf(a) !== Object.prototype) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => key in b && Object.is(a[key as keyof typeof a], b[key as keyof typeof b]));
}

/**
 * What `read` says, read again whenever one of the events is raised. The SDK's objects change in place, and React wants a value
 * that stays the same object until something has changed: so each reading is compared with the one before it. Nothing is missed
 * between rendering and listening, because React reads once more after it has subscribed.
 */
export function useReading<Events extends object, T>(
  emitter: Pick<Emitter<Events>, "on"> | null | undefined,
  events: readonly (keyof Events)[],
  read: () => T,
): T {
  const last = useRef<{ value: T } | null>(null);
  const names = events.join();
  const subscribe = useCallback(
    (changed: () => void) => {
      const offs = emitter ? events.map((event) => emitter.on(event, changed)) : [];
      return () => offs.forEach((off) => off());
    },
    [emitter, names], // the names stand for the array, which callers write in place
  );
  const snapshot = () => {
    const value = read();
    if (!last.current || !same(last.current.value, value)) last.current = { value };
    return last.current.value;
  };
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
