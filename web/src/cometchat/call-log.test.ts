import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryStorage } from "../sdk/index.js";
import { FakeServer, alice, bob, callOf } from "../testing/fakeserver.js";
import { account, CometChat } from "./chat.js";
import { CometChatCalls } from "./calls.js";

let server: FakeServer;

const logged = (sessionId: string, more: object = {}) => ({
  ...callOf({ sessionId, status: "ended", startedAt: 1_790_000_000_000, endedAt: 1_790_000_090_500 }),
  direction: "outgoing",
  durationSeconds: 90.5,
  participants: [{ user: alice, deviceIds: ["d_1", "d_2"], joins: 2, joinedAt: 1_790_000_001_000, leftAt: 1_790_000_090_000, seconds: 89 }],
  ...more,
});

beforeEach(async () => {
  server = new FakeServer(alice);
  account.clientOptions = { openSocket: server.open, deviceStorage: new MemoryStorage() };
  await CometChat.init("APP_ID", new CometChat.AppSettingsBuilder().overrideClientHost("http://host").build());
  await CometChat.login("a token");
});
afterEach(() => CometChat.logout());

describe("the call log", () => {
  it("asks for what the builder was told", async () => {
    server.answers["call.history"] = () => ({ calls: [] });
    const request = new CometChatCalls.CallLogRequestBuilder()
      .setLimit(500)
      .setAuthToken("ignored")
      .setCallCategory("call")
      .setCallType("video")
      .setCallStatus("canceled")
      .setCallDirection("incoming")
      .setUid("bob")
      .setGuid("team")
      .setHasRecording(false)
      .build();
    expect(await request.fetchNext()).toEqual([]);
    expect(await request.fetchNext()).toEqual([]);
    expect(server.sent("call.history").map((r) => r.params)).toEqual([
      { limit: 100, type: "video", status: "cancelled", direction: "incoming", uid: "bob", guid: "team" },
    ]);
  });

  it("goes through the pages and back", async () => {
    const pages: Record<string, object> = {
      first: { calls: [logged("s3")], next: "c2" },
      c2: { calls: [logged("s2")], next: "c1" },
      c1: { calls: [logged("s1", { missed: true, status: "cancelled", participants: [] })] },
    };
    server.answers["call.history"] = (params) => pages[String(params["cursor"] ?? "first")];
    const request = new CometChatCalls.CallLogRequestBuilder().setLimit(1).build();
    const ids = async (page: Promise<{ getSessionID(): string }[]>) => (await page).map((call) => call.getSessionID());
    expect(await ids(request.fetchPrevious())).toEqual([]);
    expect(await ids(request.fetchNext())).toEqual(["s3"]);
    expect(await ids(request.fetchNext())).toEqual(["s2"]);
    expect(await ids(request.fetchNext())).toEqual(["s1"]);
    expect(await ids(request.fetchNext())).toEqual([]);
    expect(await ids(request.fetchPrevious())).toEqual(["s2"]);
    expect(await ids(request.fetchPrevious())).toEqual(["s3"]);
    expect(await ids(request.fetchNext())).toEqual(["s2"]);
  });

  it("has CometChat's fields", async () => {
    server.answers["call.history"] = () => ({ calls: [logged("s1"), logged("s2", { missed: true, status: "cancelled", participants: [] })] });
    const [call, missed] = await new CometChatCalls.CallLogRequestBuilder().build().fetchNext();
    expect([call?.getStatus(), call?.getTotalDuration(), call?.getTotalDurationInMinutes(), call?.getTotalParticipants()]).toEqual(["ended", "00:01:30", 1.51, 1]);
    expect([call?.getInitiator().getUid(), call?.getInitiatedAt(), call?.getEndedAt(), call?.getMode()]).toEqual(["alice", expect.any(Number), 1_790_000_090, "call"]);
    const [me, other] = call?.getParticipants() ?? [];
    expect([me?.getUid(), me?.getIsJoined(), me?.getDeviceID(), me?.getJoinedAt()]).toEqual(["alice", true, "d_2", 1_790_000_001]);
    expect([other?.getUid(), other?.getIsJoined(), other?.getTotalDurationInMinutes()]).toEqual([bob.uid, false, 0]);
    expect(missed?.getStatus()).toBe("missed");
  });

  it("finds nothing of what Parley does not have, and needs a login", async () => {
    expect(await new CometChatCalls.CallLogRequestBuilder().setHasRecording(true).build().fetchNext()).toEqual([]);
    expect(await new CometChatCalls.CallLogRequestBuilder().setCallCategory("presenter").build().fetchNext()).toEqual([]);
    expect(server.sent("call.history")).toEqual([]);
    const request = new CometChatCalls.CallLogRequestBuilder().build();
    await CometChat.logout();
    await expect(request.fetchNext()).rejects.toMatchObject({ code: "ERROR_NO_USER_LOGGED_IN" });
  });
});
