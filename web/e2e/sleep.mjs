// Parts of a connection die by themselves, and computers fall asleep.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { chromium } from "playwright-core";
import { launchOptions } from "./harness/browser.mjs";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { growth, receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";
import { until } from "./harness/until.mjs";
import { startWire } from "./harness/wire.mjs";

const both = { video: 1, audio: 1 };

/** Runs in the page: keeps what an application is told. */
function keepNews() {
  window.news = [];
  for (const name of ["participantJoined", "participantLeft", "connectionLost", "connectionRestored", "closed"]) session.on(name, () => news.push(name));
}
const news = (person) => person.page.evaluate(() => news);

describe("media alone", () => {
  let server, wire, alice, bob;
  before(async () => {
    server = await startServer();
    wire = await startWire(server.ports.media);
    [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob", server.url, wire.address)]);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    for (const { page } of [alice, bob]) await page.evaluate(keepNews);
  });
  after(async () => {
    await Promise.all([alice?.page.context().close(), bob?.page.context().close()]);
    wire?.close();
    await server?.stop();
  });

  story("dies without a word, and signaling lives: ICE restarts, media comes back, no application hears of it", async () => {
    const socket = await bob.page.evaluate(() => (client.on("reconnecting", () => news.push("reconnecting")), client.state));
    assert.equal(socket, "connected");
    wire.leave();
    await until(async () => (await growth(bob.page, "video", "framesDecoded", 300))[0] === 0, "nothing comes any more");
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    assert.deepEqual([await news(alice), await news(bob)], [[], []]);
  });
});

describe("a computer asleep", () => {
  let server, sleeper, alice, bob;
  before(async () => {
    server = await startServer({ "calls.grace": "60s" });
    sleeper = await chromium.launchServer(launchOptions());
    const other = await chromium.connect(sleeper.wsEndpoint());
    alice = await atSDK(server.url, "alice");
    bob = await atSDK(server.url, "bob", server.url, undefined, other);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    for (const { page } of [alice, bob]) await page.evaluate(keepNews);
  });
  after(async () => {
    await alice?.page.context().close();
    await sleeper?.close();
    await server?.stop();
  });

  story("asleep for 20 s: awake again, it finds its way back into the call by itself", async () => {
    // Playwright starts a browser as the leader of a group of processes.
    const group = -sleeper.process().pid;
    process.kill(group, "SIGSTOP");
    try {
      await new Promise((done) => setTimeout(done, 10_000));
      assert.deepEqual(await growth(alice.page, "video", "framesDecoded", 10_000), [0], "the sleeper sends nothing");
    } finally {
      process.kill(group, "SIGCONT");
    }
    await Promise.all([receives(alice.page, both, 30_000), receives(bob.page, both, 30_000)]);
    const heard = await news(bob);
    assert.ok(!heard.includes("closed"), `the sleeper's application heard ${heard}`);
    assert.ok(!(await news(alice)).includes("closed"), "the call goes on for the other side");
    assert.equal(await bob.page.evaluate(() => session.state), "connected");
    console.log(`      told to the sleeper: ${heard.join(", ") || "nothing"}; to the other: ${(await news(alice)).join(", ") || "nothing"}`);
  });
});
