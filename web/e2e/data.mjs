// Data messages: nobody has a data channel before there is something to say or to hear.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK } from "./harness/blank.mjs";
import { receives } from "./harness/media.mjs";
import { fresh } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

describe("data messages", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  const join = (person, sessionId) =>
    person.page.evaluate(async (id) => {
      window.session = await client.join(id);
      window.said = [];
      const hear = ({ stream }) => session.attach(document.body.appendChild(document.createElement("audio")), stream);
      session.participants.forEach((participant) => hear(participant));
      session.on("participantJoined", ({ participant }) => hear(participant));
      session.on("data", ({ from, topic, payload }) => said.push([from?.user.uid, topic, payload]));
    }, sessionId);
  const say = (person, ...payloads) =>
    person.page.evaluate((payloads) => payloads.map((payload) => session.sendData({ topic: "chat", payload })), payloads);
  const hasChannel = (person) => person.page.evaluate(() => session.peerConnection.sctp !== null);
  /** Waits for messages and takes them off the list. */
  const hears = async (person, from, ...payloads) => {
    await until(() => person.page.evaluate((n) => said.length >= n, payloads.length), `${person.uid} hears ${payloads}`);
    const said = await person.page.evaluate(() => window.said.splice(0));
    assert.deepEqual(said, payloads.map((payload) => [from.uid, "chat", payload]));
  };

  story("a data channel is opened for the first message, at both ends, and by whoever joins later", async () => {
    const people = await Promise.all(["alice", "bob", "carol"].map((name) => atSDK(server.url, name)));
    const [alice, bob, carol] = people;
    const sessionId = await alice.page.evaluate(
      async ([guid, uid, others]) => {
        const { authKey } = await (await fetch("/v1/config")).json();
        const headers = { "content-type": "application/json" };
        const login = await fetch("/v1/auth/login", { method: "POST", headers, body: JSON.stringify({ uid, authKey }) });
        headers.authorization = `Bearer ${(await login.json()).token}`;
        for (const [path, body] of [[guid, { name: "Club" }], ...others.map((other) => [`${guid}/members/${other}`, {}])]) {
          const answer = await fetch(`/v1/groups/${path}`, { method: "PUT", headers, body: JSON.stringify(body) });
          if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
        }
        return (await client.calls.initiate({ receiverId: guid, receiverType: "group", type: "audio" })).sessionId;
      },
      [fresh("club"), alice.uid, people.map(({ uid }) => uid)],
    );
    await bob.page.evaluate((id) => client.calls.accept(id), sessionId);
    await Promise.all([join(alice, sessionId), join(bob, sessionId)]);
    await Promise.all([receives(alice.page, { audio: 1 }), receives(bob.page, { audio: 1 })]);
    assert.deepEqual(await Promise.all([hasChannel(alice), hasChannel(bob)]), [false, false], "nobody needs a channel yet");

    assert.deepEqual(await say(alice, "one", "two", { three: 3 }), [true, true, true]);
    await hears(bob, alice, "one", "two", { three: 3 });
    await say(bob, "and back");
    await hears(alice, bob, "and back");

    await carol.page.evaluate((id) => client.calls.accept(id), sessionId);
    await join(carol, sessionId);
    await receives(carol.page, { audio: 1 });
    assert.equal(await hasChannel(carol), false);
    await say(bob, "welcome");
    await Promise.all([hears(alice, bob, "welcome"), hears(carol, bob, "welcome")]);
    await say(carol, "thanks");
    await Promise.all([hears(alice, carol, "thanks"), hears(bob, carol, "thanks")]);

    await Promise.all([receives(alice.page, { audio: 2 }), receives(bob.page, { audio: 2 }), receives(carol.page, { audio: 2 })]);
    await alice.page.evaluate((id) => client.calls.end(id, { forAll: true }).catch(() => {}), sessionId);
    await Promise.all(people.map((person) => person.close()));
  });
});
