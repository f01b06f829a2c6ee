import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Call } from "../sdk/index.js";
import { History, peerOf } from "./history.js";

const user = (uid: string) => ({ uid, name: uid.toUpperCase(), avatar: "" });
const call = (change: Partial<Call> = {}): Call => ({
  sessionId: "s1", type: "video", receiverType: "user", status: "ended", reason: "hangup", initiator: user("bob"), receiver: user("alice"),
  initiatedAt: 1000, ringDeadline: 0, startedAt: 2000, endedAt: 5000, members: [], ...change,
});

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) });
  vi.stubGlobal("window", { addEventListener: () => undefined });
});

describe("the other side of a call", () => {
  it("is the caller, the callee or the group", () => {
    expect(peerOf(call(), "alice")).toMatchObject({ id: "bob", group: false });
    expect(peerOf(call(), "bob")).toMatchObject({ id: "alice", group: false });
    expect(peerOf(call({ receiverType: "group", receiver: { guid: "g", name: "" } }), "bob")).toMatchObject({ id: "g", name: "g", group: true });
  });
});

describe("past calls", () => {
  it("are kept newest first, and found again after a reload", () => {
    const history = new History("alice", () => undefined);
    history.add(call(), false);
    history.add(call({ sessionId: "s2", initiatedAt: 9000, initiator: user("alice"), receiver: user("carol") }), false);
    const again = new History("alice", () => undefined).list();
    expect(again.map(({ peerId, outcome, lasted }) => [peerId, outcome, lasted])).toEqual([["carol", "outgoing", 3000], ["bob", "incoming", 3000]]);
  });

  it("count a missed call until it has been seen, and list it once however often it is reported", () => {
    const history = new History("alice", () => undefined);
    history.add(call({ status: "cancelled", startedAt: undefined }), true);
    history.add(call({ status: "cancelled", startedAt: undefined }), true);
    expect([history.list().length, history.unseen()]).toEqual([1, 1]);
    history.markSeen();
    expect(history.unseen()).toBe(0);
    history.add(call({ status: "cancelled", startedAt: undefined }), true);
    expect(history.unseen()).toBe(0);
  });

  it("survive a broken store", () => {
    localStorage.setItem("parley.history.alice", "{not json");
    expect(new History("alice", () => undefined).list()).toEqual([]);
  });
});
