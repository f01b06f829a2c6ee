// What happens less often: a second call, a second device, no camera.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { moving, receives, silent } from "./harness/media.mjs";
import { atPage, connect } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";

const both = { video: 1, audio: 1 };

describe("less often", () => {
  let server;
  before(async () => (server = await startServer({ "calls.when_busy": "ring" })));
  after(() => server?.stop());
  const people = (...names) => Promise.all(names.map((name) => atPage(server.url, name)));
  const close = (...all) => Promise.all(all.map((person) => person.close()));

  story("a second call rings in a corner; taking it ends the first", async () => {
    const [alice, bob, carol] = await people("alice", "bob", "carol");
    await connect(alice, bob, "audio");
    await carol.call(bob, "audio");
    await bob.rings(carol);
    await Promise.all([receives(alice.page, { audio: 1 }), receives(bob.page, { audio: 1 })]);
    await bob.accept();
    await alice.told("Call ended");
    await carol.talking();
    await Promise.all([receives(carol.page, { audio: 1 }), receives(bob.page, { audio: 1 })]);
    await carol.hangUp();
    await bob.told("Call ended");
    await close(alice, bob, carol);
  });

  story("a call moves to another device of the same user", async () => {
    const [alice, bob] = await people("alice", "bob");
    await connect(alice, bob, "video");
    await receives(alice.page, both);
    const tablet = await bob.otherDevice(server.url);
    await tablet.page.click("text=Join here");
    await tablet.talking();
    await bob.told("You continued this call on another device");
    await Promise.all([receives(alice.page, both), receives(tablet.page, both)]);
    await moving(alice.page, alice.pictureOf(tablet));
    await tablet.hangUp();
    await alice.told("Call ended");
    await close(alice, bob, tablet);
  });

  story("without camera and microphone one still sees and hears, and is told why", async () => {
    const [alice, bob] = await people("alice", "bob");
    await bob.page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("refused", "NotAllowedError"));
    });
    // The toast goes away by itself, so it is awaited from the start.
    const toast = bob.page.waitForSelector('.toast:has-text("microphone or camera")', { timeout: 60_000 });
    await Promise.all([connect(alice, bob, "video"), toast]);
    await receives(bob.page, both);
    await silent(alice.page, "audio");
    assert.match(await alice.page.locator(`.tile[data-user="${bob.uid}"]`).getAttribute("aria-label"), /muted, camera off/);
    await alice.hangUp();
    await bob.told("Call ended");
    await close(alice, bob);
  });

  story("media that cannot connect is said after a while", async () => {
    const [alice, bob] = await people("alice", "bob");
    await bob.page.evaluate(() => {
      const Native = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Native {
        constructor(options) {
          super({ ...options, iceServers: [], iceTransportPolicy: "relay" });
        }
        setConfiguration(options) {
          super.setConfiguration({ ...options, iceServers: [], iceTransportPolicy: "relay" });
        }
      };
    });
    await connect(alice, bob, "audio");
    await bob.page.waitForSelector('.banner:has-text("A firewall may be in the way")');
    await bob.hangUp();
    await alice.told("Call ended");
    await close(alice, bob);
  });

  story("calling back from the list of missed calls", async () => {
    const [alice, bob] = await people("alice", "bob");
    await alice.call(bob, "audio");
    await bob.rings(alice);
    await alice.page.keyboard.press("Escape");
    await bob.told("Missed audio call");
    await bob.page.click('.pill:has-text("Missed")');
    await bob.page.click(`.row.missed:has-text("${alice.uid}") button`);
    await alice.rings(bob);
    await alice.page.keyboard.press("d");
    await bob.told(`${alice.uid} declined`);
    assert.equal(await bob.page.locator(".count").isVisible(), false);
    await close(alice, bob);
  });
});
