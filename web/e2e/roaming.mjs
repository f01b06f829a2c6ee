// From one network to another in the middle of a call.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { receives } from "./harness/media.mjs";
import { startRoaming, takeTheRoad } from "./harness/roaming.mjs";
import { startServer } from "./harness/server.mjs";

const both = { video: 1, audio: 1 };

/** Runs in the page: notes when packets came in and what the session said, until `stop`. */
function keepALog() {
  const log = { came: [], said: [] };
  const { session } = window;
  for (const event of ["stateChanged", "connectionLost", "connectionRestored", "participantJoined", "participantLeft"]) {
    session.on(event, (payload) => log.said.push(event === "stateChanged" ? `${event} ${payload.state}` : event));
  }
  let packets = 0;
  const timer = setInterval(async () => {
    const now = (await window.e2e.inbound()).reduce((sum, stream) => sum + stream.packetsReceived, 0);
    if (now > packets) log.came.push(performance.now());
    packets = now;
  }, 50);
  window.stopLog = () => (clearInterval(timer), log);
}

describe("from one network to another", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  // Chromium alone takes some 5 s to call such a connection disconnected.
  story("socket and media die without a word: the session is back before the browser has noticed, and joins nothing anew", async () => {
    const road = await startRoaming(server.ports);
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice", road.url), atSDK(server.url, "bob")]);
    await alice.page.evaluate(takeTheRoad, road.rewrite);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    const before = await alice.page.evaluateHandle(() => ({ connection: session.peerConnection, id: session.local.participantId }));
    await alice.page.evaluate(keepALog);
    await bob.page.evaluate(keepALog);
    await new Promise((done) => setTimeout(done, 1_000));

    const left = await alice.page.evaluate(() => performance.now());
    road.leave();
    await alice.page.waitForFunction(() => new Promise((done) => setTimeout(() => done(true), 2_000)));
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    const log = await alice.page.evaluate(() => window.stopLog());
    const last = log.came.filter((at) => at <= left + 100).at(-1);
    const gap = log.came.find((at) => at > last + 200) - last;
    console.log(`      media was away for ${Math.round(gap)} ms`);
    assert.ok(gap < 4_500, `media was away for ${Math.round(gap)} ms`);
    assert.deepEqual(log.said, [], "the application is told nothing");
    assert.deepEqual((await bob.page.evaluate(() => window.stopLog())).said, [], "nor is the other side");
    assert.ok(await alice.page.evaluate((b) => session.peerConnection === b.connection && session.local.participantId === b.id, before), "the same PeerConnection and participant");
    await alice.page.evaluate(() => session.leave());
    await bob.page.evaluate(() => window.sessionClosed);
    await Promise.all([alice.close(), bob.close()]);
    await road.close();
  });
});
