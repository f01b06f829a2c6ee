import { isOver, reconcile, type CallNews, type KnownCall } from "./snapshot.js";
import type { Call } from "./types.js";

/** What this device knows of the user's calls that are not over; the ground on which a snapshot is compared. */
export class CallBook {
  #known = new Map<string, KnownCall>();

  /** Notes a call as the server last described it. */
  note(call: Call, here: { startedHere?: boolean; takenHere?: boolean } = {}): void {
    if (isOver(call.status)) {
      this.#known.delete(call.sessionId);
      return;
    }
    const known = this.#known.get(call.sessionId);
    this.#known.set(call.sessionId, {
      call,
      startedHere: here.startedHere ?? known?.startedHere ?? false,
      takenHere: here.takenHere ?? known?.takenHere ?? false,
    });
  }

  get(sessionId: string): KnownCall | undefined {
    return this.#known.get(sessionId);
  }

  /** Compares with a snapshot, takes it over, and says what is new. */
  reconcile(me: string, snapshot: Call[], since: number | undefined): CallNews[] {
    const news = reconcile(me, this.#known.values(), snapshot, since);
    const before = this.#known;
    this.#known = new Map();
    for (const call of snapshot) {
      const { startedHere, takenHere } = before.get(call.sessionId) ?? {};
      this.note(call, { startedHere, takenHere });
    }
    return news;
  }
}
