// The calls this browser has seen, per user, newest first. Kept in localStorage: a convenience, not the server's record.

import type { Call, CallType, ReceiverType } from "../sdk/index.js";

/** How a past call looks in the list. */
export type Outcome = "missed" | "incoming" | "outgoing";

export interface PastCall {
  sessionId: string;
  /** Whom a click calls back. */
  peerId: string;
  peerName: string;
  receiverType: ReceiverType;
  type: CallType;
  outcome: Outcome;
  /** Unix milliseconds. */
  at: number;
  /** Milliseconds of talk, 0 if it never started. */
  lasted: number;
  seen: boolean;
}

const limit = 50;

/** The calls of one user in this browser. */
export class History {
  private readonly key: string;
  private calls: PastCall[];

  constructor(
    private readonly uid: string,
    private readonly changed: () => void,
  ) {
    this.key = `parley.history.${uid}`;
    this.calls = read(this.key);
    // Two tabs of one user share the list.
    window.addEventListener("storage", (event) => {
      if (event.key !== this.key) return;
      this.calls = read(this.key);
      this.changed();
    });
  }

  /** Newest first. */
  list(): readonly PastCall[] {
    return this.calls;
  }

  /** How many missed calls were not looked at yet. */
  unseen(): number {
    return this.calls.filter((call) => call.outcome === "missed" && !call.seen).length;
  }

  /** Takes a call that is over; the same call again only corrects the first entry. */
  add(call: Call, missed: boolean): void {
    const outgoing = call.initiator.uid === this.uid;
    const peer = peerOf(call, this.uid);
    const entry: PastCall = {
      sessionId: call.sessionId,
      peerId: peer.id,
      peerName: peer.name,
      receiverType: call.receiverType,
      type: call.type,
      outcome: outgoing ? "outgoing" : missed ? "missed" : "incoming",
      at: call.initiatedAt || Date.now(),
      lasted: call.startedAt ? Math.max(0, (call.endedAt || Date.now()) - call.startedAt) : 0,
      seen: !missed || outgoing,
    };
    const known = this.calls.find((other) => other.sessionId === entry.sessionId);
    if (known) entry.seen ||= known.seen;
    const others = this.calls.filter((other) => other !== known);
    this.keep([entry, ...others].sort((a, b) => b.at - a.at).slice(0, limit));
  }

  /** The user has looked at the list. */
  markSeen(): void {
    if (this.unseen() === 0) return;
    this.keep(this.calls.map((call) => ({ ...call, seen: true })));
  }

  clear(): void {
    this.keep([]);
  }

  private keep(calls: PastCall[]): void {
    this.calls = calls;
    try {
      localStorage.setItem(this.key, JSON.stringify(calls));
    } catch {
      // Storage full or forbidden: the list lives as long as the tab.
    }
    this.changed();
  }
}

/** The other side of a call as uid sees it: the group, the callee, or the caller. */
export function peerOf(call: Call, uid: string): { id: string; name: string; avatar: string; group: boolean } {
  if (!("uid" in call.receiver)) {
    const id = "guid" in call.receiver ? call.receiver.guid : call.receiver.session;
    return { id, name: call.receiver.name || id, avatar: "", group: true };
  }
  const user = call.initiator.uid === uid ? call.receiver : call.initiator;
  return { id: user.uid, name: user.name || user.uid, avatar: user.avatar ?? "", group: false };
}

function read(key: string): PastCall[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(value) ? value.filter((call) => typeof call?.sessionId === "string").slice(0, limit) : [];
  } catch {
    return [];
  }
}
