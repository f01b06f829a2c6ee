// The buttons of a call, checked at the other side.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { moving, receives, silent } from "./harness/media.mjs";
import { atPage, connect } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

describe("in a call", () => {
  let server, alice, bob;
  before(async () => {
    server = await startServer();
    [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
    await connect(alice, bob, "video");
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bob.page, { video: 1, audio: 1 })]);
  });
  after(async () => {
    await Promise.all([alice?.close(), bob?.close()]);
    await server?.stop();
  });
  const label = (uid) => bob.page.locator(`.tile[data-user="${uid}"]`).getAttribute("aria-label");

  story("mute: the other side hears nothing and sees that it is muted, until it is undone", async () => {
    await alice.page.click(".tool.mic");
    await until(async () => /muted/.test(await label(alice.uid)), "bob sees that alice is muted");
    await silent(bob.page, "audio");
    await receives(bob.page, { video: 1 });
    await alice.page.keyboard.press("m");
    await until(async () => !/muted/.test(await label(alice.uid)), "bob sees that alice is not muted");
    await receives(bob.page, { audio: 1 });
  });

  story("camera off: the other side sees an avatar, and the picture again when it is on", async () => {
    await alice.page.click(".tool.camera");
    await until(async () => /camera off/.test(await label(alice.uid)), "bob sees that alice's camera is off");
    await silent(bob.page, "video");
    assert.ok(await bob.page.locator(`.tile[data-user="${alice.uid}"] .avatar`).isVisible());
    await receives(bob.page, { audio: 1 });
    await alice.page.click(".tool.camera");
    await receives(bob.page, { video: 1, audio: 1 });
    await moving(bob.page, bob.pictureOf(alice));
  });

  story("screen: the other side gets it beside the camera, and it goes when sharing stops", async () => {
    await alice.page.click(".tool.screen");
    await bob.page.waitForSelector(".floor.sharing .show video");
    await receives(bob.page, { video: 2, audio: 1 });
    const screen = await until(() => bob.page.evaluate(() => window.e2e.picture(".show video")), "the shared screen has a picture");
    assert.ok(screen.width >= 640, `a screen of ${screen.width}×${screen.height}`);
    await moving(bob.page, bob.pictureOf(alice));
    await alice.page.click("text=Stop sharing");
    await bob.page.waitForSelector(".floor:not(.sharing)");
    await receives(bob.page, { video: 1, audio: 1 });
  });

  story("another camera and microphone can be chosen while talking", async () => {
    await alice.page.click(".tool.devices");
    for (const kind of ["videoinput", "audioinput"]) {
      const options = alice.page.locator(`#device-${kind} option`);
      await until(async () => (await options.count()) > 1, `a choice of ${kind}`);
      await alice.page.selectOption(`#device-${kind}`, await options.last().getAttribute("value"));
    }
    await alice.page.keyboard.press("Escape");
    await alice.page.waitForSelector("dialog", { state: "detached" });
    await receives(bob.page, { video: 1, audio: 1 });
    await moving(bob.page, bob.pictureOf(alice));
  });
});
