import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryStorage } from "../sdk/index.js";
import { fakeMedia } from "../testing/fakemedia.js";
import { FakeServer, alice, bob, callOf, refusal } from "../testing/fakeserver.js";
import { account, CometChat } from "./chat.js";
import { CometChatCalls } from "./calls.js";

let server: FakeServer;
let heard: [string, unknown][];
const meeting = callOf({ sessionId: "c1", receiverType: "session", status: "ongoing", receiver: { session: "weekly", name: "weekly" }, members: [] });

async function meet(): Promise<void> {
  server.answers["session.join"] = () => {
    throw refusal("ERR_CALL_SESSION_NOT_FOUND");
  };
  server.answers["session.enter"] = () => ({
    participantId: "p_me", call: meeting, iceServers: [], pairs: 1, videoCodec: "VP8",
    participants: [{ participantId: "p_bob", user: bob, deviceId: "d", joinedAt: 1000, publications: [
      { publicationId: "p_bob.0", kind: "audio", source: "microphone", muted: false }, { publicationId: "p_bob.1", kind: "video", source: "camera", muted: false },
    ] }],
  });
  const { token } = await CometChatCalls.generateToken("weekly");
  const { error } = await CometChatCalls.joinSession(token, new CometChatCalls.SessionSettingsBuilder().setType("VIDEO").build());
  expect(error).toBeNull();
}

beforeEach(async () => {
  fakeMedia();
  server = new FakeServer(alice);
  server.answers["session.offer"] = () => ({ sdp: "v=0" });
  account.clientOptions = { openSocket: server.open, deviceStorage: new MemoryStorage() };
  await CometChat.init("APP_ID", new CometChat.AppSettingsBuilder().overrideClientHost("http://host").build());
  await CometChat.login("a token");
  heard = [];
  const all = new Proxy({}, { get: (_, name) => (value: unknown) => heard.push([String(name), value]) });
  for (const add of ["addSessionStatusListener", "addParticipantEventListener", "addLayoutListener"] as const) CometChatCalls[add]("test", all);
});

afterEach(async () => {
  await CometChatCalls.leaveSession();
  await CometChat.logout();
  vi.unstubAllGlobals();
});

const names = () => heard.map(([name]) => name);

describe("a session that is no call", () => {
  it("is the one of that name, and is joined once", async () => {
    await meet();
    expect(server.sent("session.enter")[0]?.params).toMatchObject({ session: "weekly", type: "video" });
    expect((await CometChatCalls.joinSession("weekly")).error).toBeNull();
    expect(server.sent("session.enter").length).toBe(1);
    expect(names()).toContain("onSessionJoined");
  });

  it("cannot be entered without the right", async () => {
    server.answers["session.join"] = () => {
      throw refusal("ERR_CALL_SESSION_NOT_FOUND");
    };
    server.answers["session.enter"] = () => {
      throw refusal("ERR_CALL_NOT_ALLOWED");
    };
    expect((await CometChatCalls.joinSession("weekly")).error?.code).toBe("ERR_CALL_NOT_ALLOWED");
  });

  it("says when it ended because nobody else was there", async () => {
    await meet();
    heard = [];
    server.event("session.closed", { sessionId: "c1", reason: "alone", call: meeting });
    expect(names()).toEqual(["onSessionTimedOut", "onSessionLeft", "onConnectionClosed"]);
  });
});

describe("hands, moderators and layouts", () => {
  it("raise and lower, and tell who did", async () => {
    await meet();
    await CometChatCalls.raiseHand();
    server.event("session.hand", { sessionId: "c1", participantId: "p_me", raised: true, at: 9000 });
    await CometChatCalls.toggleHand();
    server.event("session.hand", { sessionId: "c1", participantId: "p_bob", raised: true, at: 4000 });
    expect(server.sent("session.hand").map((r) => r.params["raised"])).toEqual([true, false]);
    const hands = heard.filter(([name]) => name === "onParticipantHandRaised").map(([, value]) => value);
    expect(hands).toMatchObject([{ uid: "alice", isLocal: true, raisedHandTimestamp: 9 }, { uid: "bob", isLocal: false, raisedHandTimestamp: 4 }]);
  });

  it("mute others and end for all", async () => {
    await meet();
    await CometChatCalls.muteParticipant("p_bob");
    await CometChatCalls.pauseParticipantVideo("p_bob");
    expect(server.sent("session.muteOther").map((r) => r.params["publicationId"])).toEqual(["p_bob.0", "p_bob.1"]);
    server.answers["call.end"] = () => {
      throw refusal("ERR_CALL_NOT_ALLOWED");
    };
    await expect(CometChatCalls.endSessionForAll()).rejects.toMatchObject({ code: "ERR_CALL_NOT_ALLOWED" });
  });

  it("pin, lay out and list, for this viewer", async () => {
    await meet();
    heard = [];
    await CometChatCalls.pinParticipant("p_bob");
    await CometChatCalls.setLayout("spotlight");
    await CometChatCalls.toggleParticipantList();
    await CometChatCalls.showParticipantList();
    await CometChatCalls.hideParticipantList();
    expect(heard).toMatchObject([
      ["onParticipantListChanged", [{ uid: "bob", isPinned: true }]], ["onCallLayoutChanged", "SPOTLIGHT"], ["onParticipantListVisible", undefined], ["onParticipantListHidden", undefined],
    ]);
  });
});

describe("blocking", () => {
  it("says of each whether it worked", async () => {
    server.answers["user.block"] = ({ uid }) => {
      if (uid === "alice") throw refusal("ERR_BAD_REQUEST");
      return {};
    };
    expect(await CometChat.blockUsers(["bob", "alice"])).toEqual({ bob: "success", alice: "fail" });
    expect(await CometChat.unblockUsers(["bob"])).toEqual({ bob: "success" });
  });

  it("lists by pages and by a word, and not who blocks me", async () => {
    server.answers["user.blocked"] = ({ cursor }) => (cursor ? { users: [alice] } : { users: [bob], next: "c" });
    const all = new CometChat.BlockedUsersRequestBuilder().setLimit(1).build();
    expect([(await all.fetchNext()).map((u) => u.getUid()), (await all.fetchNext()).map((u) => u.getUid()), await all.fetchNext()]).toEqual([["bob"], ["alice"], []]);
    const some = new CometChat.BlockedUsersRequestBuilder().setSearchKeyword("ALI").build();
    expect((await some.fetchNext()).map((u) => u.getUid())).toEqual(["alice"]);
    const none = new CometChat.BlockedUsersRequestBuilder().setDirection(CometChat.BlockedUsersRequest.directions.HAS_BLOCKED_ME).build();
    expect(await none.fetchNext()).toEqual([]);
  });
});

describe("the details of a call", () => {
  it("are what the log has of it", async () => {
    const logged = (sessionId: string) => ({ ...callOf({ sessionId, status: "ended" }), direction: "outgoing", durationSeconds: 3, participants: [] });
    server.answers["call.get"] = () => ({ call: callOf({ status: "ended" }) });
    server.answers["call.history"] = () => ({ calls: [logged("s0"), logged("s1")] });
    expect((await CometChatCalls.getCallDetails("s1")).map((call) => call.getSessionID())).toEqual(["s1"]);
    expect(server.sent("call.history")[0]?.params).toMatchObject({ from: 1_790_000_000_000, until: 1_790_000_000_001 });
  });
});
