// What makes a call start soon.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";

/** Runs in the page: notes what a join waits for, in order. */
function noteOrder() {
  window.order = [];
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...args) {
      super(...args);
      order.push("connection made");
    }
  };
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const { id, method } = JSON.parse(text);
    if (method === "session.join") {
      order.push("join asked");
      this.addEventListener("message", ({ data }) => JSON.parse(data).id === id && order.push("join answered"));
    }
    if (method === "session.offer") order.push("offered");
    return send.call(this, text);
  };
}

describe("an instant start", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("instant start: the PeerConnection is made while the server answers the join, and takes its TURN servers afterwards", async () => {
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await bob.page.evaluate(noteOrder);
    await connectSDK(alice, bob);
    assert.deepEqual((await bob.page.evaluate(() => order)).slice(0, 4), ["join asked", "connection made", "join answered", "offered"]);
    const servers = await bob.page.evaluate(() => session.peerConnection.getConfiguration().iceServers.flatMap(({ urls }) => urls));
    assert.ok(servers.some((url) => url.startsWith("turn:")), `ICE servers: ${servers}`);
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bob.page, { video: 1, audio: 1 })]);
    await Promise.all([alice.close(), bob.close()]);
  });
});
