import { describe, expect, it } from "vitest";
import { alice, bob, callOf } from "../testing/fakeserver.js";
import { Call } from "./call.js";
import { Group } from "./people.js";

describe("Call", () => {
  it("takes JavaScript's order of arguments, and Android's", () => {
    for (const call of [new Call("bob", "video", "user"), new Call("bob", "user", "video")]) {
      expect([call.getReceiverId(), call.getType(), call.getReceiverType()]).toEqual(["bob", "video", "user"]);
    }
  });

  it("counts in seconds and names the actor as sender", () => {
    const info = callOf({ status: "ongoing", startedAt: 1_790_000_009_900, members: [{ user: alice, state: "joined" }, { user: bob, state: "joined", joinedAt: 1_790_000_010_000 }] });
    const call = Call.fromInfo(info, bob, "bob");
    expect(call).toMatchObject({
      sessionId: "s1",
      status: "ongoing",
      callStatus: "ongoing",
      action: "ongoing",
      category: "call",
      type: "video",
      receiverId: "alice",
      conversationId: "alice_user_bob",
      initiatedAt: 1_790_000_000,
      startedAt: 1_790_000_009,
      joinedAt: 1_790_000_010,
    });
    expect(call.getSender()?.getUid()).toBe("bob");
    expect(call.getCallInitiator()?.getUid()).toBe("alice");
    expect((call.getReceiver() as { uid: string }).uid).toBe("alice");
    expect(call.data).toMatchObject({ action: "ongoing", entities: { by: { entity: { uid: "bob" } }, for: { entity: { uid: "alice" } }, on: { entity: { sessionid: "s1", sender: "alice", receiver: "bob" } } } });
  });

  it("says how long an ended call took", () => {
    const call = Call.fromInfo(callOf({ status: "ended", startedAt: 1_790_000_010_000, endedAt: 1_790_000_070_500 }), alice, "bob");
    expect([call.duration, call.endedAt, call.getReceiverId()]).toEqual([60, 1_790_000_070, "bob"]);
  });

  it("is between a user and a group where it is a group's", () => {
    const call = Call.fromInfo(callOf({ receiverType: "group", receiver: { guid: "team", name: "Team" } }), bob, "bob");
    expect(call.getReceiver()).toBeInstanceOf(Group);
    expect([call.receiverId, call.conversationId]).toEqual(["team", "group_team"]);
  });

  it("gives every action an id of its own", () => {
    const ids = (["initiated", "ongoing", "ended"] as const).map((status) => Call.fromInfo(callOf({ status }), alice, "alice").getId());
    expect(new Set(ids).size).toBe(3);
  });
});
