import { describe, expect, it } from "vitest";
import { alice, bob, callOf } from "../testing/fakeserver.js";
import { reconcile, type KnownCall } from "./snapshot.js";
import type { Call, CallStatus } from "./types.js";

const types = (me: string, known: Partial<KnownCall>[], snapshot: Call[], since?: number) =>
  reconcile(
    me,
    known.map((k) => ({ call: callOf(), startedHere: false, takenHere: false, ...k })),
    snapshot,
    since,
  ).map((n) => n.type);

describe("reconcile, called device", () => {
  it("goes on ringing while the call does", () => {
    expect(types("bob", [{}], [callOf()])).toEqual([]);
  });

  it("stops ringing when the server does not know the call any more", () => {
    expect(types("bob", [{}], [])).toEqual(["cancelled", "missed"]);
  });

  it.each<[CallStatus, string[]]>([
    ["cancelled", ["cancelled", "missed"]],
    ["unanswered", ["unanswered", "missed"]],
    ["rejected", ["declinedElsewhere"]],
    ["ended", ["answeredElsewhere"]],
  ])("hears that a ringing call is %s", (status, expected) => {
    expect(types("bob", [{}], [callOf({ status })])).toEqual(expected);
  });

  it("hears that another device answered", () => {
    const taken = callOf({ status: "ongoing", members: [{ user: alice, state: "joined" }, { user: bob, state: "accepted" }] });
    expect(types("bob", [{}], [taken])).toEqual(["answeredElsewhere"]);
    expect(types("bob", [{ takenHere: true }], [taken])).toEqual([]);
  });

  it("rings for a call that came meanwhile, and reports one that was missed", () => {
    expect(types("bob", [], [callOf()])).toEqual(["incoming"]);
    const missed = callOf({ status: "unanswered", endedAt: 1000 });
    expect(types("bob", [], [missed], 500)).toEqual(["missed"]);
    expect(types("bob", [], [missed], 1500)).toEqual([]);
    expect(types("bob", [], [missed], undefined)).toEqual([]);
  });

  it("hears the end of a call that it was in", () => {
    const ongoing = callOf({ status: "ongoing" });
    const ended = callOf({ status: "ended", reason: "lost" });
    expect(types("bob", [{ call: ongoing, takenHere: true }], [ended])).toEqual(["ended"]);
    expect(types("bob", [{ call: ongoing }], [ended])).toEqual([]);
    expect(types("bob", [{ call: ongoing, takenHere: true }], [])).toEqual(["ended"]);
  });
});

describe("reconcile, calling device", () => {
  const started = { startedHere: true };

  it.each<[CallStatus, string]>([
    ["ongoing", "accepted"],
    ["rejected", "rejected"],
    ["busy", "rejected"],
    ["unanswered", "unanswered"],
    ["cancelled", "cancelled"],
    ["ended", "ended"],
  ])("hears that its call is %s", (status, expected) => {
    expect(types("alice", [started], [callOf({ status })])).toEqual([expected]);
  });

  it("shows nothing of another device's call but that it exists", () => {
    expect(types("alice", [], [callOf()])).toEqual(["outgoing"]);
    expect(types("alice", [{}], [callOf()])).toEqual([]);
    expect(types("alice", [{}], [callOf({ status: "ongoing" })])).toEqual(["outgoingOver"]);
    expect(types("alice", [{}], [callOf({ status: "unanswered" })])).toEqual(["outgoingOver"]);
    expect(types("alice", [{}], [])).toEqual(["outgoingOver"]);
  });

  it("hears what came of a call whose seat it took while it rang", () => {
    expect(types("alice", [{ takenHere: true }], [callOf({ status: "rejected" })])).toEqual(["rejected"]);
  });
});

describe("reconcile, groups", () => {
  const group = { receiverType: "group" as const, receiver: { guid: "g", name: "G" } };
  const before = callOf({ ...group, members: [{ user: alice, state: "calling" }, { user: bob, state: "ringing" }] });

  it("rings on for a member when somebody else accepted", () => {
    const after = callOf({ ...group, status: "ongoing", members: [{ user: alice, state: "joined" }, { user: bob, state: "ringing" }] });
    expect(types("bob", [{ call: before }], [after])).toEqual(["member"]);
    expect(types("bob", [], [after])).toEqual(["incoming"]);
  });

  it("stops ringing for a member whose time is over", () => {
    const after = callOf({ ...group, status: "ongoing", members: [{ user: alice, state: "joined" }, { user: bob, state: "unanswered" }] });
    expect(types("bob", [{ call: before }], [after])).toEqual(["unanswered", "member", "member"]);
  });
});
