import { beforeEach, describe, expect, it, vi } from "vitest";
import type { LoggedCall } from "../sdk/index.js";
import { meetingName, pastOf, peerOf, Seen } from "./history.js";

const user = (uid: string) => ({ uid, name: uid.toUpperCase(), avatar: "" });
const call = (change: Partial<LoggedCall> = {}): LoggedCall => ({
  sessionId: "s1", type: "video", receiverType: "user", status: "ended", reason: "hangup", initiator: user("bob"), receiver: user("alice"),
  initiatedAt: 1000, ringDeadline: 0, startedAt: 2000, endedAt: 5000, members: [], direction: "incoming", durationSeconds: 3, participants: [], ...change,
});
const missed = { missed: true, status: "cancelled", startedAt: undefined, durationSeconds: 0 } as const;

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) });
});

describe("the other side of a call", () => {
  it("is the caller, the callee, the group or the meeting", () => {
    expect(peerOf(call(), "alice")).toMatchObject({ id: "bob", group: false });
    expect(peerOf(call(), "bob")).toMatchObject({ id: "alice", group: false });
    expect(peerOf(call({ receiverType: "group", receiver: { guid: "g", name: "" } }), "bob")).toMatchObject({ id: "g", name: "g", group: true });
    expect(peerOf(call({ receiverType: "session", receiver: { session: "weekly_talk", name: "" } }), "bob")).toMatchObject({ id: "weekly_talk", name: "Weekly talk", group: true });
  });

  it("is named even where a meeting's name has no word in it", () => {
    expect([meetingName("meeting-3f9a"), meetingName("---")]).toEqual(["Meeting 3f9a", "---"]);
  });
});

describe("past calls", () => {
  it("are missed, incoming, outgoing or a meeting, with the time that was talked", () => {
    const rows = [
      call(), call({ direction: "outgoing", initiator: user("alice"), receiver: user("carol") }), call(missed),
      call({ receiverType: "session", receiver: { session: "weekly", name: "" } }),
    ].map((each) => pastOf(each, "alice"));
    expect(rows.map(({ peerId, outcome, lasted }) => [peerId, outcome, lasted])).toEqual([
      ["bob", "incoming", 3000], ["carol", "outgoing", 3000], ["bob", "missed", 0], ["weekly", "meeting", 3000],
    ]);
  });

  it("count as new when missed, until they have been looked at", () => {
    const calls = [call(missed), call({ ...missed, initiatedAt: 9000 }), call()].map((each) => pastOf(each, "alice"));
    const seen = new Seen("alice");
    expect(seen.unseen(calls)).toBe(2);
    seen.mark(calls.slice(0, 1));
    expect(seen.unseen(calls)).toBe(1);
    seen.mark(calls);
    expect([seen.unseen(calls), new Seen("alice").unseen(calls), new Seen("bob").unseen(calls)]).toEqual([0, 0, 2]);
    seen.mark([]);
    expect(seen.unseen(calls)).toBe(0);
  });
});
