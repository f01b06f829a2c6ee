// The flow of CometChat's Android VoIP guide: the caller is in the session before anybody has accepted, no CallListener is
// registered, and the end of the session is all that tells it that the call is over.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atChat } from "./harness/chat.mjs";
import { receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

describe("a caller that joins before acceptance", () => {
  let server, alice, bob;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  /** Rings bob and joins at once; every way the session may end leads to endCall, as in the guide. */
  const callAndJoin = async (timeout) => {
    [alice, bob] = await Promise.all([atChat(server.url, "alice"), atChat(server.url, "bob")]);
    await bob.run('CometChat.addCallListener("ring", new CometChat.CallListener({ onIncomingCallReceived: (call) => { window.ringing = call.getSessionId(); } }));');
    const id = await alice.page.evaluate(
      async ([uid, timeout]) => {
        const call = await CometChat.initiateCall(new CometChat.Call(uid, CometChat.CALL_TYPE.VIDEO, CometChat.RECEIVER_TYPE.USER), timeout);
        const id = call.getSessionId();
        Object.assign(window, { id, left: 0, shut: 0, ends: [], endErrors: [] });
        window.endCallAndFinish = () => CometChat.endCall(id).then((call) => ends.push(call.getStatus()), (error) => endErrors.push(error.code));
        CometChatCalls.addSessionStatusListener("activity", {
          onSessionLeft: () => { left++; endCallAndFinish(); },
          onConnectionClosed: () => { shut++; endCallAndFinish(); },
        });
        const settings = new CometChatCalls.SessionSettingsBuilder().setType(CometChatCalls.SessionType.VIDEO).build();
        const { error } = await CometChatCalls.joinSession(id, settings, document.getElementById("view"));
        if (error) throw new Error(error.message);
        return id;
      },
      [bob.uid, timeout],
    );
    await until(() => bob.page.evaluate((id) => window.ringing === id, id), "bob is rung");
    return id;
  };

  /** The session is closed, said once each; endCall once more does no harm and gives the final state. */
  const finished = async (status, ms) => {
    await until(() => alice.page.evaluate(() => left === 1 && shut === 1 && !CometChatCalls.isSessionActive()), "alice's session closes", ms);
    await alice.page.evaluate(() => endCallAndFinish());
    await until(() => alice.page.evaluate(() => ends.length + endErrors.length >= 3), "endCall was answered three times");
    assert.deepEqual(await alice.page.evaluate(() => [ends, endErrors]), [[status, status, status], []]);
    assert.deepEqual(await alice.page.evaluate(() => [...e2e.connections].length), 0, "no PeerConnection is left");
    await Promise.all([alice.close(), bob.close()]);
  };

  story("hangs up before anybody answers: cancelled", async () => {
    await callAndJoin();
    await alice.page.evaluate(() => CometChatCalls.leaveSession());
    await finished("cancelled");
  });

  story("is rejected: its session closes", async () => {
    const id = await callAndJoin();
    await bob.page.evaluate((id) => CometChat.rejectCall(id, "rejected").then(() => {}), id);
    await finished("rejected");
  });

  story("is not answered: its session closes", async () => {
    await callAndJoin(10);
    await finished("unanswered", 25_000);
  });

  story("is answered, talks, and the other side ends: its session closes", async () => {
    const id = await callAndJoin();
    await bob.page.evaluate(async (id) => {
      await CometChat.acceptCall(id);
      const settings = new CometChatCalls.SessionSettingsBuilder().setType(CometChatCalls.SessionType.VIDEO).build();
      const { error } = await CometChatCalls.joinSession(id, settings, document.getElementById("view"));
      if (error) throw new Error(error.message);
    }, id);
    await Promise.all([alice, bob].map((who) => receives(who.page, { video: 1, audio: 1 })));
    await bob.page.evaluate((id) => CometChat.endCall(id).then(() => {}), id);
    await finished("ended");
  });
});
