// The calls of the server's log as the list shows them, and how far the user has looked at it.

import type { Call, CallType, LoggedCall, ReceiverType } from "../sdk/index.js";

/** How a past call looks in the list. */
export type Outcome = "missed" | "incoming" | "outgoing" | "meeting";

export interface PastCall {
  sessionId: string;
  /** Whom a click calls back, or the name of the session to enter. */
  peerId: string;
  peerName: string;
  receiverType: ReceiverType;
  type: CallType;
  outcome: Outcome;
  /** Unix milliseconds. */
  at: number;
  /** Milliseconds of talk, 0 if it never started. */
  lasted: number;
}

/** A call of the log as uid sees it. */
export function pastOf(call: LoggedCall, uid: string): PastCall {
  const peer = peerOf(call, uid);
  return {
    sessionId: call.sessionId,
    peerId: peer.id,
    peerName: peer.name,
    receiverType: call.receiverType,
    type: call.type,
    outcome: call.receiverType === "session" ? "meeting" : call.missed ? "missed" : call.direction,
    at: call.initiatedAt,
    lasted: call.startedAt ? call.durationSeconds * 1000 : 0,
  };
}

/** The other side of a call as uid sees it: the group, the meeting, the callee, or the caller. */
export function peerOf(call: Call, uid: string): { id: string; name: string; avatar: string; group: boolean } {
  const { receiver } = call;
  if ("session" in receiver) return { id: receiver.session, name: meetingName(receiver.session), avatar: "", group: true };
  if ("guid" in receiver) return { id: receiver.guid, name: receiver.name || receiver.guid, avatar: "", group: true };
  const user = call.initiator.uid === uid ? receiver : call.initiator;
  return { id: user.uid, name: user.name || user.uid, avatar: user.avatar ?? "", group: false };
}

/** The name of a session for people: "meeting-3f9a2c" is "Meeting 3f9a2c". */
export function meetingName(session: string): string {
  const words = session.replace(/[-_.:]+/g, " ").trim() || session;
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

/** Until when a user has looked at missed calls in this browser, in Unix milliseconds. */
export class Seen {
  private readonly key: string;
  private until: number;

  constructor(uid: string) {
    this.key = `parley.seen.${uid}`;
    try {
      this.until = Number(localStorage.getItem(this.key)) || 0;
    } catch {
      this.until = 0;
    }
  }

  /** How many of these calls were missed and not looked at. */
  unseen(calls: readonly PastCall[]): number {
    return calls.filter((call) => call.outcome === "missed" && call.at > this.until).length;
  }

  /** The user has looked at these. */
  mark(calls: readonly PastCall[]): void {
    this.until = Math.max(this.until, ...calls.map((call) => call.at));
    try {
      localStorage.setItem(this.key, String(this.until));
    } catch {
      // They are new again after a reload.
    }
  }
}
