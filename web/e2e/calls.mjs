// Two people ring, accept and talk.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { moving, receives, silent } from "./harness/media.mjs";
import { atPage, connect } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";

describe("a call of two", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());
  const two = () => Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);

  story("by video: both see and hear each other, and either may hang up", async () => {
    const [alice, bob] = await two();
    await connect(alice, bob, "video");
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bob.page, { video: 1, audio: 1 })]);
    await Promise.all([moving(alice.page, alice.pictureOf(bob)), moving(bob.page, bob.pictureOf(alice))]);
    await alice.hangUp();
    await bob.told("Call ended");

    await connect(alice, bob, "video");
    await receives(alice.page, { video: 1, audio: 1 });
    await bob.hangUp();
    await alice.told("Call ended");
    await Promise.all([alice.close(), bob.close()]);
  });

  story("by audio: both hear each other, no picture is sent, until one turns a camera on", async () => {
    const [alice, bob] = await two();
    await connect(alice, bob, "audio");
    await Promise.all([receives(alice.page, { audio: 1 }), receives(bob.page, { audio: 1 })]);
    await silent(alice.page, "video");
    assert.equal(await alice.page.locator(".tool.camera").getAttribute("aria-label"), "Turn camera on");
    await alice.page.keyboard.press("v");
    await receives(bob.page, { video: 1, audio: 1 });
    await moving(bob.page, bob.pictureOf(alice));
    await bob.hangUp();
    await alice.told("Call ended");
    await Promise.all([alice.close(), bob.close()]);
  });

  story("nothing is heard or seen before the call is accepted", async () => {
    const [alice, bob] = await two();
    await alice.call(bob, "video");
    await bob.rings(alice);
    // The caller has joined already: its media path is up while it rings.
    await alice.page.waitForSelector(".tile.self video:not([data-off])");
    assert.deepEqual(await bob.page.evaluate(() => window.e2e.inbound()), []);
    await silent(alice.page, "audio");
    await bob.accept();
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bob.page, { video: 1, audio: 1 })]);
    await alice.hangUp();
    await Promise.all([alice.close(), bob.close()]);
  });

  story("accepted on another device: the first one stops ringing, and talks to nobody", async () => {
    const [alice, bob] = await two();
    const bobsPhone = await bob.otherDevice(server.url);
    await alice.call(bob, "video");
    await Promise.all([bob.rings(alice), bobsPhone.rings(alice)]);
    await bobsPhone.accept();
    await bob.ringsNoMore();
    await bob.told("Answered on another device");
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bobsPhone.page, { video: 1, audio: 1 })]);
    assert.deepEqual(await bob.page.evaluate(() => window.e2e.inbound()), []);
    await bobsPhone.hangUp();
    await alice.told("Call ended");
    await Promise.all([alice.close(), bob.close(), bobsPhone.close()]);
  });

  story("a reloaded tab finds its call again", async () => {
    const [alice, bob] = await two();
    await connect(alice, bob, "video");
    await receives(alice.page, { video: 1, audio: 1 });
    alice.page.on("dialog", (dialog) => dialog.accept());
    await alice.page.reload();
    await alice.page.click("text=Join here");
    await alice.talking();
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bob.page, { video: 1, audio: 1 })]);
    await bob.hangUp();
    await alice.told("Call ended");
    await Promise.all([alice.close(), bob.close()]);
  });
});
