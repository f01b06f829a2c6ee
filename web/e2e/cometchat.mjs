// The calling flow of CometChat's JavaScript guide on /sdk/cometchat.js.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atChat } from "./harness/chat.mjs";
import { receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

const both = { video: 1, audio: 1 };
const listen = `
  window.calls = {};
  CometChat.addCallListener("e2e", new CometChat.CallListener({
    onIncomingCallReceived: (call) => { calls.incoming = call; },
    onOutgoingCallAccepted: (call) => { calls.accepted = call; },
    onOutgoingCallRejected: (call) => { calls.rejected = call; },
    onIncomingCallCancelled: (call) => { calls.cancelled = call; },
    onCallEndedMessageReceived: (call) => { calls.ended = call; },
  }));`;
const dial = (uid, type = "VIDEO") => `
  window.dialled = CometChat.initiateCall(new CometChat.Call("${uid}", CometChat.CALL_TYPE.${type}, CometChat.RECEIVER_TYPE.USER));`;
const heard = (who, name) =>
  until(() => who.page.evaluate((name) => calls[name] && { sessionId: calls[name].getSessionId(), status: calls[name].getStatus(), sender: calls[name].getSender().getUid() }, name), `${who.uid} hears “${name}”`);
const start = (who, id) =>
  who.page.evaluate(async (id) => {
    const { token } = await CometChatCalls.generateToken(id);
    const settings = new CometChatCalls.CallSettingsBuilder().enableDefaultLayout(true).setIsAudioOnlyCall(false).build();
    const { error } = await CometChatCalls.startSession(token, settings, document.getElementById("view"));
    if (error) throw new Error(error.message);
  }, id);

describe("code written for CometChat", () => {
  let server, alice, bob;
  before(async () => (server = await startServer()));
  after(() => server?.stop());
  const two = async () => {
    [alice, bob] = await Promise.all([atChat(server.url, "alice"), atChat(server.url, "bob")]);
    await Promise.all([alice.run(listen), bob.run(listen)]);
  };
  const close = () => Promise.all([alice.close(), bob.close()]);

  story("initiate, accept, start, end: every callback at its place, and real media", async () => {
    await two();
    await alice.run(dial(bob.uid));
    const { sessionId, status, sender } = await heard(bob, "incoming");
    assert.deepEqual([status, sender], ["initiated", alice.uid]);
    await bob.page.evaluate((id) => CometChat.acceptCall(id).then(() => {}), sessionId);
    assert.equal((await heard(alice, "accepted")).sender, bob.uid);
    await Promise.all([start(alice, sessionId), start(bob, sessionId)]);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    assert.ok(await bob.page.evaluate(() => CometChatCalls.isSessionActive()));
    assert.equal(await bob.page.evaluate(() => CometChat.getActiveCall().getSessionId()), sessionId);

    await alice.page.evaluate((id) => CometChat.endCall(id).then(() => {}), sessionId);
    assert.equal((await heard(bob, "ended")).status, "ended");
    await until(() => bob.page.evaluate(() => !CometChatCalls.isSessionActive()), "bob's session is closed");
    await until(() => alice.page.evaluate(() => !CometChatCalls.isSessionActive()), "alice's session is closed");
    await close();
  });

  story("reject, cancel and busy, each with its status", async () => {
    await two();
    await alice.run(dial(bob.uid, "AUDIO"));
    const first = await heard(bob, "incoming");
    await bob.page.evaluate((id) => CometChat.rejectCall(id, CometChat.CALL_STATUS.REJECTED).then(() => {}), first.sessionId);
    assert.equal((await heard(alice, "rejected")).status, "rejected");

    await bob.page.evaluate(() => (calls = {}));
    await alice.run(dial(bob.uid, "AUDIO"));
    const second = await heard(bob, "incoming");
    await alice.page.evaluate((id) => CometChat.rejectCall(id, CometChat.CALL_STATUS.CANCELLED).then(() => {}), second.sessionId);
    assert.equal((await heard(bob, "cancelled")).status, "cancelled");

    await Promise.all([alice, bob].map((who) => who.page.evaluate(() => (calls = {}))));
    await alice.run(dial(bob.uid, "AUDIO"));
    const third = await heard(bob, "incoming");
    await bob.page.evaluate((id) => CometChat.rejectCall(id, CometChat.CALL_STATUS.BUSY).then(() => {}), third.sessionId);
    assert.equal((await heard(alice, "rejected")).status, "busy");
    await close();
  });

  story("startCall of the older guides, mute and pause as the other side sees them", async () => {
    await two();
    await alice.run(dial(bob.uid));
    const { sessionId } = await heard(bob, "incoming");
    await bob.page.evaluate((id) => CometChat.acceptCall(id).then(() => {}), sessionId);
    await heard(alice, "accepted");
    for (const who of [alice, bob]) {
      await who.page.evaluate((id) => {
        window.seen = [];
        const settings = new CometChat.CallSettingsBuilder().setSessionID(id).setIsAudioOnlyCall(false).build();
        CometChatCalls.addParticipantEventListener("e2e", {
          onParticipantAudioMuted: () => seen.push("muted"),
          onParticipantVideoPaused: () => seen.push("paused"),
        });
        return CometChat.startCall(settings, document.getElementById("view"), new CometChat.OngoingCallListener({ onUserJoined: (user) => seen.push(`joined ${user.uid}`) }));
      }, sessionId);
    }
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await alice.page.evaluate(() => CometChatCalls.muteAudio().then(() => CometChatCalls.pauseVideo()));
    await until(() => bob.page.evaluate(() => seen.includes("muted") && seen.includes("paused")), "bob sees alice mute and pause");
    await bob.page.evaluate(() => CometChatCalls.endSession());
    await heard(alice, "ended");
    await close();
  });
});

/** The folder with CometChat's guides, where there is one: they are not ours to publish. */
const guides = process.env.PARLEY_GUIDES_DIR;
const guide = guides && existsSync(guides) && readdirSync(guides).find((name) => name.startsWith("002_"));

/** The guide's JavaScript blocks, with nothing changed but the names that it leaves to the reader. */
function blocks(names) {
  const text = readFileSync(join(guides, guide), "utf8");
  const found = [...text.matchAll(/```javascript[^\n]*\n([\s\S]*?)```/g)].map(([, code]) => code);
  return (marker) => {
    const code = found.find((block) => block.includes(marker));
    assert.ok(code, `the guide has a block with ${marker}`);
    return Object.entries(names()).reduce((done, [placeholder, value]) => done.replaceAll(`"${placeholder}"`, JSON.stringify(value)), code);
  };
}

describe("CometChat's JavaScript guide itself", { skip: guide ? false : "PARLEY_GUIDES_DIR names no folder with the guide" }, () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("its blocks run unchanged: call, receive, accept, reject, group", async () => {
    const [alice, bob] = await Promise.all([atChat(server.url, "alice"), atChat(server.url, "bob")]);
    const names = { UID: bob.uid, GUID: `club-${bob.uid}`, SESSION_ID: "" };
    const block = blocks(() => names);
    const newest = () =>
      until(() => bob.page.evaluate(() => window.latest), "bob's page holds the call");

    await alice.run(block("addCallListener"));
    await bob.run(block("addCallListener"));
    await bob.run('CometChat.addCallListener("keep", new CometChat.CallListener({ onIncomingCallReceived: (call) => { window.latest = call.getSessionId(); } }));');

    await alice.run(block("RECEIVER_TYPE.USER"));
    await alice.logged("Call initiated successfully:");
    await bob.logged("Incoming call:");
    names.SESSION_ID = await newest();
    await bob.run(block("acceptCall"));
    await bob.logged("Call accepted successfully:");
    await alice.logged("Outgoing call accepted:");
    await Promise.all([start(alice, names.SESSION_ID), start(bob, names.SESSION_ID)]);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await alice.page.evaluate((id) => CometChat.endCall(id).then(() => {}), names.SESSION_ID);
    await bob.logged("CallEnded Message:");

    await bob.page.evaluate(() => delete window.latest);
    await alice.run(block("RECEIVER_TYPE.USER"));
    names.SESSION_ID = await newest();
    await bob.run(block("CALL_STATUS.REJECTED"));
    await bob.logged("Call rejected successfully");
    await alice.logged("Outgoing call rejected:");

    await alice.page.evaluate(async ([guid, uid]) => {
      const { authKey } = await (await fetch("/v1/config")).json();
      const login = async (uid) => (await (await fetch("/v1/auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ uid, authKey }) })).json()).token;
      const { uid: me } = await CometChat.getLoggedinUser();
      const headers = { authorization: `Bearer ${await login(me)}`, "content-type": "application/json" };
      for (const [path, body] of [[guid, { name: "Club" }], [`${guid}/members/${me}`, {}], [`${guid}/members/${uid}`, {}]]) {
        const answer = await fetch(`/v1/groups/${path}`, { method: "PUT", headers, body: JSON.stringify(body) });
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      }
    }, [names.GUID, bob.uid]);
    await bob.page.evaluate(() => delete window.latest);
    const rung = alice.lines.filter((line) => line.includes("Call initiated successfully:")).length;
    await alice.run(block("RECEIVER_TYPE.GROUP"));
    await until(() => alice.lines.filter((line) => line.includes("Call initiated successfully:")).length > rung, "the group is rung");
    await newest();
    await bob.run(block("removeCallListener"));
    await Promise.all([alice.close(), bob.close()]);
  });
});
