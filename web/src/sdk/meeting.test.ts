import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeMedia } from "../testing/fakemedia.js";
import { FakeServer, alice, bob, callOf, refusal } from "../testing/fakeserver.js";
import { Parley } from "./client.js";
import { MemoryStorage } from "./device.js";
import { readInvitation, redeemInvitation } from "./invitations.js";
import type { Session } from "./session.js";

const all = ["microphone", "camera", "screen", "screenAudio"];
const meeting = callOf({ sessionId: "c1", receiverType: "session", status: "ongoing", receiver: { session: "weekly", name: "weekly" }, members: [] });
const bobsInfo = {
  participantId: "p_bob",
  user: bob,
  deviceId: "d_9",
  joinedAt: 1,
  publications: [{ publicationId: "p_bob.0", kind: "audio", source: "microphone", muted: false }],
};

let server: FakeServer;
let client: Parley;
let getUserMedia: ReturnType<typeof fakeMedia>;

const settle = () => vi.advanceTimersByTimeAsync(0);
const answer = (rights: object = {}, more: object = {}) => ({
  participantId: "p_me",
  call: meeting,
  participants: [bobsInfo],
  iceServers: [],
  pairs: 2,
  videoCodec: "VP8",
  rights: { publish: all, subscribe: true, moderate: false, hidden: false, ...rights },
  ...more,
});

async function enter(rights: object = {}): Promise<Session> {
  server.answers["session.enter"] = () => answer(rights);
  const entered = client.enter("weekly", { type: "video", metadata: { a: 1 } });
  await vi.advanceTimersByTimeAsync(200);
  const session = await entered;
  server.event("session.updated", {
    sessionId: "c1",
    participant: { ...bobsInfo, participantId: "p_me", user: alice, publications: [{ publicationId: "p_me.0", kind: "audio", source: "microphone", muted: false }] },
  });
  return session;
}

beforeEach(async () => {
  vi.useFakeTimers();
  getUserMedia = fakeMedia();
  server = new FakeServer(alice);
  server.answers["session.offer"] = () => ({ sdp: "v=0" });
  client = new Parley({ url: "http://host", token: "t", deviceStorage: new MemoryStorage(), openSocket: server.open });
  await client.connect();
});

afterEach(() => {
  client.disconnect();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("entering a named session", () => {
  it("asks for it by name and is in its call", async () => {
    const session = await enter();
    expect(server.sent("session.enter").map((r) => r.params)).toEqual([{ session: "weekly", type: "video", metadata: { a: 1 }, mutationId: expect.any(String) }]);
    expect([session.sessionId, session.rights.moderate, session.participants.map((p) => p.user.uid)]).toEqual(["c1", false, ["bob"]]);
    expect(client.sessions).toEqual([session]);
    expect(server.sent("session.offer")[0]?.params).toMatchObject({ sessionId: "c1", publications: [{ source: "microphone" }, { source: "camera" }], slots: [{ pair: 0 }, { pair: 1 }] });
  });

  it("keeps what is told of it before the answer, and nothing of other calls", async () => {
    server.silent.add("session.enter");
    const entered = client.enter("weekly");
    await settle();
    server.event("session.hand", { sessionId: "c1", participantId: "p_bob", raised: true, at: 7 });
    server.event("session.left", { sessionId: "other", participantId: "p_bob", reason: "left" });
    const request = server.sent("session.enter")[0]!;
    request.socket.deliver({ jsonrpc: "2.0", id: request.id, result: answer() });
    await vi.advanceTimersByTimeAsync(200);
    expect((await entered).hands.map((p) => [p.user.uid, p.raisedAt])).toEqual([["bob", 7]]);
  });

  it("is once at a time for a name", async () => {
    const session = await enter();
    await expect(client.enter("weekly")).rejects.toMatchObject({ code: "ALREADY_JOINED" });
    await session.leave();
    expect(server.sent("session.leave")[0]?.params).toMatchObject({ sessionId: "c1" });
    expect(client.sessions).toEqual([]);
    await expect(enter()).resolves.toBeDefined();
  });

  it("gives the server's refusal", async () => {
    server.answers["session.enter"] = () => {
      throw refusal("ERR_CALL_NOT_ALLOWED");
    };
    await expect(client.enter("weekly")).rejects.toMatchObject({ code: "ERR_CALL_NOT_ALLOWED" });
    expect([client.sessions, getUserMedia.mock.calls]).toEqual([[], []]);
  });

  it("joins the same call again when the connection was not resumed, and its hand is up again", async () => {
    const session = await enter();
    await session.raiseHand();
    server.event("session.hand", { sessionId: "c1", participantId: "p_me", raised: true, at: 5 });
    server.answers["session.join"] = () => answer({}, { participantId: "p_me2" });
    server.hello = { connectionId: "c_2", snapshot: { calls: [meeting] } };
    server.socket.cut();
    await vi.advanceTimersByTimeAsync(2000);
    expect(server.sent("session.join")[0]?.params).toMatchObject({ sessionId: "c1" });
    expect([server.sent("session.enter").length, session.local.participantId]).toEqual([1, "p_me2"]);
    expect(server.sent("session.hand").map((r) => r.params["raised"])).toEqual([true, true]);
  });
});

describe("rights", () => {
  it("open no device for what may not be published, and say so when asked to", async () => {
    const session = await enter({ publish: ["camera"] });
    expect(getUserMedia.mock.calls).toMatchObject([[{ video: {} }]]);
    expect(getUserMedia.mock.calls[0]?.[0].audio).toBeFalsy();
    await expect(session.setMicrophone(true)).rejects.toMatchObject({ code: "ERR_CALL_NOT_ALLOWED", details: { source: "microphone" } });
    await expect(session.shareScreen()).rejects.toMatchObject({ code: "ERR_CALL_NOT_ALLOWED", details: { source: "screen" } });
    expect(session.local.microphoneOn).toBe(false);
  });

  it("offer no slots to who receives nothing", async () => {
    await enter({ subscribe: false });
    expect(server.sent("session.offer")[0]?.params).toMatchObject({ slots: [] });
  });

  it("of a call that rang are every source and no moderating", async () => {
    const { rights: _, ...old } = answer();
    server.answers["session.join"] = () => ({ ...old, call: callOf({ status: "ongoing" }) });
    const joined = client.join("s1");
    await vi.advanceTimersByTimeAsync(200);
    expect((await joined).rights).toEqual({ publish: all, subscribe: true, moderate: false, hidden: false });
  });
});

describe("hands", () => {
  it("are listed in the order in which they went up", async () => {
    const session = await enter({ moderate: true });
    const heard: unknown[] = [];
    session.on("handChanged", ({ participant, raised }) => heard.push([participant.user.uid, raised]));
    server.event("session.hand", { sessionId: "c1", participantId: "p_me", raised: true, at: 9 });
    server.event("session.hand", { sessionId: "c1", participantId: "p_bob", raised: true, at: 4 });
    server.event("session.hand", { sessionId: "c1", participantId: "p_bob", raised: true, at: 4 });
    expect(session.hands.map((p) => p.user.uid)).toEqual(["bob", "alice"]);
    await session.lowerHand("p_bob");
    await session.lowerHand();
    expect(server.sent("session.hand").map((r) => r.params)).toEqual([{ sessionId: "c1", raised: false, participantId: "p_bob" }, { sessionId: "c1", raised: false }]);
    server.event("session.hand", { sessionId: "c1", participantId: "p_bob", raised: false });
    expect(session.hands.map((p) => p.user.uid)).toEqual(["alice"]);
    expect(heard).toEqual([["alice", true], ["bob", true], ["bob", false]]);
  });
});

describe("moderating", () => {
  it("mutes what somebody publishes, once", async () => {
    const session = await enter({ moderate: true });
    await session.muteParticipant("p_bob");
    await expect(session.muteParticipant("p_bob", "screen")).rejects.toMatchObject({ code: "ERR_PUBLICATION_NOT_FOUND" });
    await expect(session.muteParticipant("p_nobody")).rejects.toMatchObject({ code: "ERR_PARTICIPANT_NOT_FOUND" });
    server.event("session.updated", { sessionId: "c1", participant: { ...bobsInfo, publications: [{ ...bobsInfo.publications[0], muted: true }] } });
    await session.muteParticipant("p_bob");
    expect(server.sent("session.muteOther").map((r) => r.params)).toEqual([{ sessionId: "c1", publicationId: "p_bob.0" }]);
  });

  it("gives the server's refusal to who has no right", async () => {
    const session = await enter();
    server.answers["session.expel"] = server.answers["session.muteOther"] = server.answers["call.end"] = () => {
      throw refusal("ERR_CALL_NOT_ALLOWED");
    };
    for (const act of [() => session.expel("p_bob"), () => session.muteParticipant("p_bob"), () => session.endForAll()]) {
      await expect(act()).rejects.toMatchObject({ code: "ERR_CALL_NOT_ALLOWED" });
    }
    expect(session.state).not.toBe("closed");
  });

  it("puts somebody out, and ends the call for all", async () => {
    const session = await enter({ moderate: true });
    await session.expel("p_bob");
    expect(server.sent("session.expel")[0]?.params).toEqual({ sessionId: "c1", participantId: "p_bob", mutationId: expect.any(String) });
    server.answers["call.end"] = () => ({ call: { ...meeting, status: "ended", reason: "ended_for_all" } });
    await session.endForAll();
    expect(server.sent("call.end")[0]?.params).toMatchObject({ sessionId: "c1", forAll: true });
    expect(session.state).toBe("closed");
  });

  it("mutes this device when a moderator says so; it may unmute again", async () => {
    const session = await enter();
    const muted: unknown[] = [];
    session.on("mutedByModerator", (event) => muted.push(event));
    expect(session.local.microphoneOn).toBe(true);
    server.event("session.muted", { sessionId: "c1", publicationId: "p_me.0", by: bob });
    server.event("session.muted", { sessionId: "c1", publicationId: "p_gone.0", by: bob });
    await settle();
    expect([session.local.microphoneOn, muted]).toEqual([false, [{ source: "microphone", by: bob }]]);
    await session.setMicrophone(true);
    expect(session.local.microphoneOn).toBe(true);
  });

  it("ends a screen share that is muted", async () => {
    const session = await enter();
    await session.shareScreen();
    server.event("session.updated", { sessionId: "c1", participant: { ...bobsInfo, participantId: "p_me", user: alice, publications: [{ publicationId: "p_me.2", kind: "video", source: "screen", muted: false }] } });
    server.event("session.muted", { sessionId: "c1", publicationId: "p_me.2", by: bob });
    await settle();
    expect([session.local.screenOn, session.local.microphoneOn]).toEqual([false, true]);
  });

  it("closes the session of who was put out or left alone", async () => {
    for (const reason of ["removed", "alone"]) {
      const session = await enter();
      const closed = session.next("closed");
      server.event("session.closed", { sessionId: "c1", reason, call: meeting });
      expect((await closed).reason).toBe(reason);
    }
  });
});

describe("blocking", () => {
  it("is the server's", async () => {
    server.answers["user.blocked"] = ({ cursor }) => (cursor ? { users: [alice] } : { users: [bob], next: "c" });
    await client.blocks.block("bob");
    await client.blocks.unblock("bob");
    expect(await client.blocks.list()).toEqual([bob, alice]);
    for (const method of ["user.block", "user.unblock"]) expect(server.sent(method)[0]?.params).toEqual({ uid: "bob", mutationId: expect.any(String) });
  });
});

describe("invitations", () => {
  const invitation = `x.${btoa(JSON.stringify({ session: { id: "weekly" }, exp: 1_790_000_000 }))}.x`;

  it("say which session they are for, and until when", () => {
    expect(readInvitation(invitation)).toEqual({ session: "weekly", expiresAt: 1_790_000_000_000 });
    const quiet = `x.${btoa(JSON.stringify({ session: { id: "weekly", publish: ["camera"] }, exp: 1 }))}.x`;
    expect(readInvitation(quiet)).toEqual({ session: "weekly", expiresAt: 1000, publish: ["camera"] });
    for (const none of ["", "x", "a.b.c", `x.${btoa("{}")}.x`]) expect(readInvitation(none)).toBeUndefined();
  });

  it("make a guest with a token of their own", async () => {
    const admitted = { token: "made", user: bob, session: "weekly", expiresAt: 5 };
    const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(JSON.stringify(admitted), { status: 201 }));
    vi.stubGlobal("fetch", fetched);
    expect(await redeemInvitation({ url: "wss://host/v1/ws", invitation, name: "Bob" })).toEqual(admitted);
    expect(fetched.mock.calls[0]?.[0]).toBe("https://host/v1/invitations/redeem");
    expect(JSON.parse(String(fetched.mock.calls[0]?.[1].body))).toEqual({ invitation, name: "Bob" });
  });

  it("that are no good, or a server that is away, give an error with a code", async () => {
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ code: "ERR_UNAUTHORIZED", detail: "no" }), { status: 401 }));
    await expect(redeemInvitation({ url: "host", invitation, name: "Bob" })).rejects.toMatchObject({ code: "ERR_UNAUTHORIZED" });
    vi.stubGlobal("fetch", async () => new Response("<html>", { status: 502 }));
    await expect(redeemInvitation({ url: "host", invitation, name: "Bob" })).rejects.toMatchObject({ code: "ERR_INTERNAL" });
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("offline")));
    await expect(redeemInvitation({ url: "host", invitation, name: "Bob" })).rejects.toMatchObject({ code: "DISCONNECTED" });
  });
});
