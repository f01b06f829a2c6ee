import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryStorage } from "../sdk/index.js";
import { FakeServer, alice, bob, callOf, refusal } from "../testing/fakeserver.js";
import { account, CometChat } from "./chat.js";
import { CometChatCalls } from "./calls.js";

let server: FakeServer;
let heard: { name: string; call: CometChat.Call }[];

const names = ["onIncomingCallReceived", "onOutgoingCallAccepted", "onOutgoingCallRejected", "onIncomingCallCancelled", "onCallEndedMessageReceived"];

async function signIn(user = alice): Promise<void> {
  server = new FakeServer(user);
  account.clientOptions = { openSocket: server.open, deviceStorage: new MemoryStorage() };
  await CometChat.init("APP_ID", new CometChat.AppSettingsBuilder().setRegion("us").overrideClientHost("http://host").build());
  await CometChat.login("a token");
  heard = [];
  const callbacks = Object.fromEntries(names.map((name) => [name, (call: CometChat.Call) => heard.push({ name, call })]));
  CometChat.addCallListener("test", new CometChat.CallListener(callbacks));
}

beforeEach(() => signIn());
afterEach(async () => {
  CometChat.removeCallListener("test");
  await CometChat.logout();
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  it("knows who is signed in, until the sign-out", async () => {
    expect((await CometChat.getLoggedinUser())?.getUid()).toBe("alice");
    await CometChat.logout();
    expect(await CometChat.getLoggedinUser()).toBeNull();
    await expect(CometChat.acceptCall("s1")).rejects.toMatchObject({ code: "ERROR_NO_USER_LOGGED_IN" });
  });

  it("exchanges the development key for a token", async () => {
    const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(JSON.stringify({ token: "made" })));
    vi.stubGlobal("fetch", fetched);
    await CometChat.login("alice", "devkey");
    expect(fetched.mock.calls[0]?.[0]).toBe("http://host/v1/auth/login");
    expect(JSON.parse(String(fetched.mock.calls[0]?.[1].body))).toEqual({ uid: "alice", authKey: "devkey" });
    expect(server.sent("hello").at(-1)?.params["token"]).toBe("made");
  });

  it("rejects with a CometChatException when the key is refused", async () => {
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ code: "AUTH_ERR_NO_ACCESS", detail: "no" }), { status: 401 }));
    await expect(CometChat.login("alice", "wrong")).rejects.toBeInstanceOf(CometChat.CometChatException);
  });
});

describe("the steps of the JavaScript guide", () => {
  it("initiate: a call object with a session id and the initiator", async () => {
    server.answers["call.initiate"] = () => ({ call: callOf() });
    const call = new CometChat.Call("bob", CometChat.CALL_TYPE.VIDEO, CometChat.RECEIVER_TYPE.USER);
    const outgoing = await CometChat.initiateCall(call, 60);
    expect(server.sent("call.initiate")[0]?.params).toMatchObject({ receiverId: "bob", receiverType: "user", type: "video", timeoutSeconds: 60 });
    expect([outgoing.getSessionId(), outgoing.getCallStatus(), outgoing.getCallInitiator()?.getUid()]).toEqual(["s1", "initiated", "alice"]);
    expect(CometChat.getActiveCall()?.getSessionId()).toBe("s1");
    CometChat.clearActiveCall();
    expect(CometChat.getActiveCall()).toBeNull();
  });

  it("leaves the ring time to the server unless it is a positive number", async () => {
    server.answers["call.initiate"] = () => ({ call: callOf() });
    await CometChat.initiateCall(new CometChat.Call("bob", "audio", "user"), 0);
    expect(server.sent("call.initiate")[0]?.params).not.toHaveProperty("timeoutSeconds");
  });

  it("accept, reject, cancel and end go to their methods", async () => {
    for (const method of ["accept", "reject", "cancel", "end"]) server.answers[`call.${method}`] = () => ({ call: callOf({ status: "ended" }) });
    await CometChat.acceptCall("s1");
    await CometChat.rejectCall("s1", CometChat.CALL_STATUS.REJECTED);
    await CometChat.rejectCall("s1", CometChat.CALL_STATUS.BUSY);
    await CometChat.rejectCall("s1", CometChat.CALL_STATUS.CANCELLED);
    await CometChat.endCall("s1");
    const sent = server.received.filter((r) => r.method.startsWith("call.")).map((r) => [r.method, r.params["status"]]);
    expect(sent).toEqual([["call.accept", undefined], ["call.reject", "rejected"], ["call.reject", "busy"], ["call.cancel", undefined], ["call.end", undefined]]);
  });

  it("errors are CometChatExceptions with the server's code", async () => {
    server.answers["call.accept"] = () => {
      throw refusal("ERR_CALL_SESSION_NOT_FOUND");
    };
    const error: unknown = await CometChat.acceptCall("gone").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CometChat.CometChatException);
    expect(error).toMatchObject({ code: "ERR_CALL_SESSION_NOT_FOUND", errorCode: "ERR_CALL_SESSION_NOT_FOUND" });
    await expect(CometChat.rejectCall("s1", "asleep")).rejects.toMatchObject({ code: "ERR_BAD_REQUEST" });
    await expect(CometChat.acceptCall("")).rejects.toMatchObject({ code: "ERR_EMPTY_CALL_SESSION_ID" });
  });

  it("ending three times does no harm, even if the server refuses the later ones", async () => {
    let ends = 0;
    server.answers["call.end"] = () => {
      if (ends++ > 0) throw refusal("ERR_CALL_TERMINATED", { call: callOf({ status: "ended" }) });
      return { call: callOf({ status: "ended" }) };
    };
    for (let i = 0; i < 3; i++) expect((await CometChat.endCall("s1")).getCallStatus()).toBe("ended");
  });
});

describe("who hears what", () => {
  const rows: [event: string, user: typeof alice, change: object, callback: string | null, sender: string][] = [
    ["call.incoming", bob, {}, "onIncomingCallReceived", "alice"],
    ["call.outgoing", alice, {}, null, ""],
    ["call.outgoingOver", alice, { status: "ongoing" }, null, ""],
    ["call.outgoingOver", alice, { status: "rejected" }, null, ""],
    ["call.accepted", alice, { status: "ongoing" }, "onOutgoingCallAccepted", "bob"],
    ["call.answeredElsewhere", bob, { status: "ongoing" }, "onIncomingCallCancelled", "bob"],
    ["call.rejected", alice, { status: "busy" }, "onOutgoingCallRejected", "bob"],
    ["call.declinedElsewhere", bob, { status: "rejected" }, "onIncomingCallCancelled", "bob"],
    ["call.cancelled", bob, { status: "cancelled" }, "onIncomingCallCancelled", "alice"],
    ["call.unanswered", alice, { status: "unanswered" }, "onOutgoingCallRejected", "alice"],
    ["call.unanswered", bob, { status: "unanswered" }, "onIncomingCallCancelled", "alice"],
    ["call.missed", bob, { status: "unanswered" }, null, ""],
    ["call.ended", alice, { status: "ended" }, "onCallEndedMessageReceived", "bob"],
    ["call.member", alice, { status: "ongoing" }, null, ""],
  ];

  it.each(rows)("%s at %o raises the right callback", async (event, user, change, callback, sender) => {
    await CometChat.logout();
    await signIn(user);
    const by = sender && event !== "call.unanswered" ? (sender === "bob" ? bob : alice) : undefined;
    server.event(event, { call: callOf(change), by });
    expect(heard.map((h) => h.name)).toEqual(callback ? [callback] : []);
    if (!callback) return;
    expect(heard[0]?.call.getSender()?.getUid()).toBe(sender);
    expect(heard[0]?.call.getCallStatus()).toBe(callOf(change).status);
  });

  it("is silent after the listener is removed", async () => {
    CometChat.removeCallListener("test");
    server.event("call.accepted", { call: callOf({ status: "ongoing" }), by: bob });
    expect(heard).toEqual([]);
  });

  it("has no active call once it was rejected", async () => {
    server.answers["call.initiate"] = () => ({ call: callOf() });
    await CometChat.initiateCall(new CometChat.Call("bob", "audio", "user"));
    server.event("call.rejected", { call: callOf({ status: "rejected" }), by: bob });
    expect(CometChat.getActiveCall()).toBeNull();
  });
});

describe("CometChatCalls without a session", () => {
  it("gives tokens that name the session", async () => {
    await expect(CometChatCalls.generateToken("s1", "auth")).resolves.toMatchObject({ token: "s1" });
  });

  it("answers a failed join instead of rejecting, and tells the listener", async () => {
    server.answers["session.join"] = () => {
      throw refusal("ERR_CALL_NOT_ACCEPTED");
    };
    const failed = vi.fn();
    const off = CometChatCalls.addSessionStatusListener({ onConnectionFailed: failed });
    vi.stubGlobal("MediaStream", class {});
    const settings = new CometChatCalls.SessionSettingsBuilder().setType(CometChatCalls.SessionType.AUDIO).build();
    const { data, error } = await CometChatCalls.joinSession("s1", settings, null);
    expect([data, error?.code, failed.mock.calls.length]).toEqual([null, "ERR_CALL_NOT_ACCEPTED", 1]);
    expect(CometChatCalls.isSessionActive()).toBe(false);
    off();
  });

  it("can be left at any time", async () => {
    await expect(CometChatCalls.leaveSession()).resolves.toBeUndefined();
    await expect(CometChatCalls.endSession()).resolves.toBeUndefined();
    await expect(CometChatCalls.muteAudio()).rejects.toMatchObject({ code: "ERR_NO_SESSION" });
  });
});
