// Networks that hinder, break and come back.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { growth, receives } from "./harness/media.mjs";
import { atPage, connect } from "./harness/person.mjs";
import { startProxy } from "./harness/proxy.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";
import { startWire } from "./harness/wire.mjs";

const both = { video: 1, audio: 1 };

describe("on a bad network", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  for (const transport of ["udp", "tcp"]) {
    story(`relay only, TURN over ${transport}: the call works through it and through nothing else`, async () => {
      const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
      const only = `() => ({
        iceTransportPolicy: "relay",
        iceServers: (servers) => servers.map((s) => ({ ...s, urls: [s.urls].flat().filter((u) => u.startsWith("turn:") && u.includes("transport=${transport}")) })).filter((s) => s.urls.length > 0).slice(0, 1).map((s) => ({ ...s, urls: s.urls[0] })),
      })`;
      await connectSDK(alice, bob, only);
      await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
      for (const person of [alice, bob]) {
        const pairs = await person.page.evaluate(() => window.e2e.pairs());
        assert.deepEqual(pairs.map(({ type, relayProtocol }) => ({ type, relayProtocol })), [{ type: "relay", relayProtocol: transport }]);
      }
      await Promise.all([alice.close(), bob.close()]);
    });
  }

  story("UDP blocked, no TURN: media goes over the server's TCP port", async () => {
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await connectSDK(alice, bob, "() => ({ forceTcp: true, iceServers: () => [] })");
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    const pairs = await alice.page.evaluate(() => window.e2e.pairs());
    assert.deepEqual(pairs.map(({ protocol }) => protocol), ["tcp"]);
    await Promise.all([alice.close(), bob.close()]);
  });

  story("the signaling socket cut for 5 s: no gap in the media, no event lost", async () => {
    const proxy = await startProxy(server.ports.http);
    const alice = await atPage(server.url, "alice");
    const bob = await atPage(proxy.url, "bob");
    await connect(alice, bob, "video");
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    proxy.cut();
    // Each second for itself: 25 frames in five seconds could also be a second of pictures and a gap of four.
    const everySecond = async ({ page, uid }) => {
      for (let second = 1; second <= 5; second++) {
        const frames = (await growth(page, "video", "framesDecoded", 1000)).reduce((sum, grown) => sum + grown, 0);
        assert.ok(frames > 0, `${uid} saw no new picture in second ${second}`);
      }
    };
    await Promise.all([everySecond(alice), everySecond(bob), bob.page.waitForSelector(".banner:not([hidden])"), alice.page.click(".tool.mic")]);
    proxy.restore();
    await until(async () => (await bob.page.locator(".banner:not(.calm)").isHidden()) === true, "the socket is back", 15_000);
    await until(async () => /muted/.test(await bob.page.locator(`.tile[data-user="${alice.uid}"]`).getAttribute("aria-label")), "bob hears of what happened meanwhile");
    await bob.hangUp();
    await alice.told("Call ended");
    await Promise.all([alice.close(), bob.close()]);
    await proxy.close();
  });

  story("ICE restart: new credentials, the same call, media goes on", async () => {
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    const ufrags = () =>
      alice.page.evaluate(() => {
        const { localDescription, remoteDescription } = session.peerConnection;
        return [localDescription, remoteDescription].map(({ sdp }) => /a=ice-ufrag:(\S+)/.exec(sdp)[1]);
      });
    const before = await ufrags();
    const connection = await alice.page.evaluateHandle(() => session.peerConnection);
    await alice.page.evaluate(() => session.restartIce());
    // The client's are new with its offer, the server's with the answer to it.
    await until(async () => (await ufrags()).every((ufrag, end) => ufrag !== before[end]), "new ICE credentials at both ends");
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    assert.ok(await alice.page.evaluate((old) => session.peerConnection === old, connection), "one PeerConnection for the whole call");
    assert.equal(await alice.page.evaluate(() => session.state), "connected");
    await alice.page.evaluate(() => session.leave());
    await bob.page.evaluate(() => window.sessionClosed);
    await Promise.all([alice.close(), bob.close()]);
  });
});

describe("in another network", () => {
  let server, proxy, wire, alice, bob;
  before(async () => {
    server = await startServer();
    [proxy, wire] = await Promise.all([startProxy(server.ports.http), startWire(server.ports.media)]);
    [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob", proxy.url, wire.address)]);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    for (const { page } of [alice, bob]) {
      await page.evaluate(() => {
        window.noticed = [];
        window.before = session;
        for (const name of ["participantJoined", "participantLeft", "closed"]) session.on(name, () => noticed.push(name));
      });
    }
  });
  after(async () => {
    await Promise.all([alice?.page.context().close(), bob?.page.context().close()]);
    wire?.close();
    await proxy?.close();
    await server?.stop();
  });
  const ufrags = () =>
    bob.page.evaluate(() => [session.peerConnection.localDescription, session.peerConnection.remoteDescription].map(({ sdp }) => /a=ice-ufrag:(\S+)/.exec(sdp)[1]));
  const nobodyNoticed = async () => {
    for (const { page, uid } of [alice, bob]) {
      assert.deepEqual(await page.evaluate(() => noticed), [], `${uid}'s application`);
      assert.ok(await page.evaluate(() => session === before && window.e2e.connections.size === 1), `${uid}: one session, one PeerConnection`);
    }
  };

  story("the NAT forgets the client: media goes on, and no application hears of it", async () => {
    await wire.rebind();
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await nobodyNoticed();
  });

  story("the client's network is gone, the WebSocket with it, and there is another: media comes back, and no application hears of it", async () => {
    const old = await ufrags();
    wire.leave();
    proxy.leave();
    await until(async () => (await ufrags()).every((ufrag, end) => ufrag !== old[end]), "ICE restarts by itself", 30_000);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await alice.page.evaluate(() => void client.calls.on("ended", () => (window.hung = true)));
    await nobodyNoticed();
    await bob.page.evaluate(() => session.leave());
    await until(() => alice.page.evaluate(() => window.hung), "signaling works again, too");
  });
});

describe("when a tab is killed", () => {
  let server;
  before(async () => (server = await startServer({ "calls.grace": "9s" })));
  after(() => server?.stop());

  story("a killed tab: the other side is told within the grace period", async () => {
    const [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
    await connect(alice, bob, "video");
    await receives(alice.page, both);
    // The renderer dies as a crashed or killed browser's does: nothing is said to anybody.
    const crashed = new Promise((done) => bob.page.once("crash", done));
    const session = await bob.page.context().newCDPSession(bob.page);
    session.send("Page.crash").catch(() => undefined);
    await crashed;
    const since = Date.now();
    await alice.told("Connection lost", 25_000);
    const told = Date.now() - since;
    // The grace period here is 9 s, less than the 10 s after which silence counts as loss; it has passed by then. One that
    // began only then would last until 19 s.
    assert.ok(told > 8_500, `told after ${told} ms, before the grace period was over`);
    assert.ok(told < 17_000, `told after ${told} ms: the grace period began only when the silence was noticed`);
    await alice.close();
    await bob.page.context().close();
  });
});

describe("when the server dies", () => {
  let server;
  before(async () => (server = await startServer({ "calls.grace": "60s" })));
  after(() => server?.stop());

  story("killed and started again: the call finds itself", async () => {
    const [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
    await connect(alice, bob, "video");
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await server.restart();
    await Promise.all([receives(alice.page, both, 30_000), receives(bob.page, both, 30_000)]);
    await alice.hangUp();
    await bob.told("Call ended");
    await Promise.all([alice.close(), bob.close()]);
  });
});
