import type { Call, CallEvents, CallStatus, Member } from "./types.js";

/** What this device remembers of a call that is not over. */
export interface KnownCall {
  call: Call;
  /** This device initiated it. */
  startedHere: boolean;
  /** This device accepted it, or has joined its session. */
  takenHere: boolean;
}

/** One event to raise. */
export type CallNews = { [K in keyof CallEvents]: { type: K; payload: CallEvents[K] } }[keyof CallEvents];

/** True for every status that a call never leaves. */
export function isOver(status: CallStatus): boolean {
  return status !== "initiated" && status !== "ongoing";
}

/**
 * Says what happened while this device was away, from what it knew and what the server says now, as the events that it would
 * have heard. A ringing call that the server does not list any more stops ringing. `since` is the server time of the last
 * contact, or undefined on the first connection, when old missed calls are no news.
 */
export function reconcile(me: string, known: Iterable<KnownCall>, snapshot: Call[], since: number | undefined): CallNews[] {
  const now = new Map(snapshot.map((call) => [call.sessionId, call]));
  const news: CallNews[] = [];
  for (const before of known) {
    const after = now.get(before.call.sessionId) ?? vanished(before.call);
    now.delete(before.call.sessionId);
    news.push(...(before.call.status === "initiated" ? fromRinging(me, before, after) : fromOngoing(before, after)));
    news.push(...memberNews(before.call, after));
  }
  for (const call of now.values()) news.push(...unheardOf(me, call, since));
  return news;
}

/** A call that the server forgot is over; one that rang was not taken. */
function vanished(call: Call): Call {
  return call.status === "initiated" ? { ...call, status: "cancelled" } : { ...call, status: "ended", reason: "lost" };
}

function stateOf(me: string, call: Call): Member["state"] | undefined {
  return call.members.find((m) => m.user.uid === me)?.state;
}

function fromRinging(me: string, { call: before, startedHere, takenHere }: KnownCall, call: Call): CallNews[] {
  const event = (type: Exclude<keyof CallEvents, "member">): CallNews => ({ type, payload: { call } }) as CallNews;
  const mine = before.initiator.uid === me;
  if (startedHere || (mine && takenHere)) {
    switch (call.status) {
      case "initiated":
        return [];
      case "ongoing":
        return [event("accepted")];
      case "rejected":
      case "busy":
        return [event("rejected")];
      default:
        return [event(call.status)];
    }
  }
  if (mine) return call.status === "initiated" ? [] : [event("outgoingOver")];
  switch (call.status) {
    case "initiated":
    case "ongoing":
      return takenHere ? [] : ringingMember(stateOf(me, before), stateOf(me, call), event);
    case "rejected":
    case "busy":
      return [event("declinedElsewhere")];
    case "cancelled":
    case "unanswered":
      return [event(call.status), event("missed")];
    case "ended":
      return [event(takenHere ? "ended" : "answeredElsewhere")];
  }
}

/** The call goes on; did this user's own ringing stop? */
function ringingMember(
  before: Member["state"] | undefined,
  after: Member["state"] | undefined,
  event: (type: "answeredElsewhere" | "declinedElsewhere" | "unanswered") => CallNews,
): CallNews[] {
  if (after === "ringing" || before === after) return [];
  if (after === "rejected" || after === "busy") return [event("declinedElsewhere")];
  return [event(after === "unanswered" ? "unanswered" : "answeredElsewhere")];
}

function fromOngoing({ startedHere, takenHere }: KnownCall, call: Call): CallNews[] {
  return isOver(call.status) && (startedHere || takenHere) ? [{ type: "ended", payload: { call } }] : [];
}

function memberNews(before: Call, call: Call): CallNews[] {
  if (call.receiverType !== "group") return [];
  const old = new Map(before.members.map((m) => [m.user.uid, m.state]));
  return call.members
    .filter((m) => old.get(m.user.uid) !== m.state)
    .map((m) => ({ type: "member", payload: { call, uid: m.user.uid, state: m.state } }));
}

/** A call that this device has not heard of. */
function unheardOf(me: string, call: Call, since: number | undefined): CallNews[] {
  const mine = call.initiator.uid === me;
  if (!isOver(call.status)) {
    if (mine) return call.status === "initiated" ? [{ type: "outgoing", payload: { call, by: call.initiator } }] : [];
    return stateOf(me, call) === "ringing" ? [{ type: "incoming", payload: { call, by: call.initiator } }] : [];
  }
  const untaken = call.status === "cancelled" || call.status === "unanswered" || call.status === "busy";
  const recent = since !== undefined && (call.endedAt ?? 0) >= since;
  return untaken && recent && !mine ? [{ type: "missed", payload: { call } }] : [];
}
