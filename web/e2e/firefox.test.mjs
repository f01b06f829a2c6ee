// A second engine: Firefox and Chromium call each other. npm run e2e:firefox; E2E chooses tests by name.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { closeBrowser } from "./harness/browser.mjs";
import { colourCamera, colours, strongest } from "./harness/colours.mjs";
import { atFirefox, closeFirefox } from "./harness/firefox.mjs";
import { atSDK, connectSDK, signIn } from "./harness/blank.mjs";
import { moving, receives, silent } from "./harness/media.mjs";
import { atPage, connect, fresh } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { sent, show, width } from "./harness/sizes.mjs";
import { story } from "./harness/story.mjs";
import { until } from "./harness/until.mjs";

after(() => Promise.all([closeFirefox(), closeBrowser()]));

const both = { video: 1, audio: 1 };
const close = (...people) => Promise.all(people.map((person) => person.close()));
const seeAndHear = (one, other) =>
  Promise.all([
    receives(one.page, both),
    receives(other.page, both),
    moving(one.page, one.pictureOf(other)),
    moving(other.page, other.pictureOf(one)),
  ]);

describe("Firefox and Chromium", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());
  const two = () => Promise.all([atFirefox(server.url, "fox"), atPage(server.url, "chris")]);

  story("Firefox calls by video: both see and hear each other, and Chromium hangs up", async () => {
    const [fox, chris] = await two();
    await connect(fox, chris, "video");
    await seeAndHear(fox, chris);
    await chris.hangUp();
    await fox.told("Call ended");
    await close(fox, chris);
  });

  story("Chromium calls by video: both see and hear each other, and Firefox hangs up", async () => {
    const [fox, chris] = await two();
    await connect(chris, fox, "video");
    await seeAndHear(fox, chris);
    await fox.hangUp();
    await chris.told("Call ended");
    await close(fox, chris);
  });

  story("declined in Firefox: the caller is told", async () => {
    const [fox, chris] = await two();
    await chris.call(fox);
    await fox.rings(chris);
    await fox.decline();
    await chris.told(`${fox.uid} declined`);
    await close(fox, chris);
  });

  story("Firefox sends its camera in three sizes: Chromium sees the one that it looks at", async () => {
    const [fox, chris] = await Promise.all([atFirefox(server.url, "fox"), atSDK(server.url, "chris")]);
    const sdk = { page: fox.page, uid: fresh("fox") }; // beside the call page's own client
    await fox.page.evaluate(signIn, sdk.uid);
    await connectSDK(sdk, chris, "() => ({ simulcast: true })");
    await Promise.all([receives(fox.page, both), receives(chris.page, both)]);
    const sizes = await until(async () => {
      const all = await sent(fox.page);
      return all.length === 3 && all.every(({ framesEncoded }) => framesEncoded > 0) && all;
    }, "all three sizes are sent", 30_000);
    for (const { frameWidth } of [sizes[2], sizes[0], sizes[2]]) {
      await show(chris.page, frameWidth);
      await until(async () => (await width(chris.page)) === frameWidth, `a picture ${frameWidth} wide comes`, 30_000);
      await receives(chris.page, both);
    }
    await close(fox, chris);
  });

  for (const first of ["Firefox", "Chromium"]) {
    story(`data messages, the first from ${first}: both open a channel for them`, async () => {
      const [fox, chris] = await Promise.all([atFirefox(server.url, "fox"), atSDK(server.url, "chris")]);
      const sdk = { page: fox.page, uid: fresh("fox") }; // beside the call page's own client
      await fox.page.evaluate(signIn, sdk.uid);
      await connectSDK(sdk, chris);
      await Promise.all([receives(fox.page, both), receives(chris.page, both)]);
      const sides = first === "Firefox" ? [sdk, chris] : [chris, sdk];
      for (const { page } of sides) {
        assert.equal(await page.evaluate(() => session.peerConnection.sctp), null, "no channel yet");
        await page.evaluate(() => void session.on("data", ({ payload }) => (window.said = payload)));
      }
      for (const [one, other] of [sides, sides.toReversed()]) {
        await one.page.evaluate((uid) => void session.sendData({ topic: "chat", payload: uid }), one.uid);
        await until(() => other.page.evaluate((uid) => window.said === uid, one.uid), `${other.uid} hears ${one.uid}`);
      }
      await Promise.all([receives(fox.page, both), receives(chris.page, both)]);
      await close(fox, chris);
    });
  }
});

/** Runs in the page: a headless Firefox has no screen to share, so the page draws one. */
function drawScreen() {
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const context = canvas.getContext("2d");
    let step = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${(step += 5)} 60% 50%)`;
      context.fillRect(0, 0, 1280, 720);
    }, 66);
    return canvas.captureStream(15);
  };
}

describe("in a call between Firefox and Chromium", () => {
  let server, fox, chris;
  before(async () => {
    server = await startServer();
    [fox, chris] = await Promise.all([atFirefox(server.url, "fox"), atPage(server.url, "chris")]);
    await connect(fox, chris, "video");
    await seeAndHear(fox, chris);
  });
  after(async () => {
    await Promise.all([fox?.close(), chris?.close()]);
    await server?.stop();
  });
  const label = (person, who) => person.page.locator(`.tile[data-user="${who.uid}"]`).getAttribute("aria-label");

  for (const name of ["Firefox", "Chromium"]) {
    const sides = () => (name === "Firefox" ? [fox, chris] : [chris, fox]);

    story(`mute in ${name}: the other side hears nothing and sees why, until it is undone`, async () => {
      const [one, other] = sides();
      await one.page.click(".tool.mic");
      await until(async () => /muted/.test(await label(other, one)), "the other sees the mute");
      await silent(other.page, "audio");
      await one.page.click(".tool.mic");
      await until(async () => !/muted/.test(await label(other, one)), "the other sees that it is over");
      await receives(other.page, both);
    });

    story(`camera off in ${name}: the other side sees an avatar, and the picture again when it is on`, async () => {
      const [one, other] = sides();
      await one.page.click(".tool.camera");
      await until(async () => /camera off/.test(await label(other, one)), "the other sees that the camera is off");
      await silent(other.page, "video");
      assert.ok(await other.page.locator(`.tile[data-user="${one.uid}"] .avatar`).isVisible());
      await one.page.click(".tool.camera");
      await receives(other.page, both);
      await moving(other.page, other.pictureOf(one));
    });

    story(`a screen shared in ${name}: the other side gets it beside the camera, and it goes when sharing stops`, async () => {
      const [one, other] = sides();
      if (one === fox) await fox.page.evaluate(drawScreen);
      await one.page.click(".tool.screen");
      await other.page.waitForSelector(".floor.sharing .show video");
      await receives(other.page, { video: 2, audio: 1 });
      const screen = await until(() => other.page.evaluate(() => window.e2e.picture(".show video")), "the shared screen has a picture");
      assert.ok(screen.width >= 640, `a screen of ${screen.width}×${screen.height}`);
      await moving(other.page, other.pictureOf(one));
      await one.page.click(".tool.screen");
      await other.page.waitForSelector(".floor:not(.sharing)");
      await receives(other.page, both);
    });
  }

  story("ICE restarts in Firefox: new credentials on both sides, the same PeerConnection, and media goes on", async () => {
    // A browser says that it is online again after a change of networks, and the session restarts ICE for that.
    const ufrags = () =>
      fox.page.evaluate(() => {
        const open = [...window.e2e.connections];
        return open.flatMap(({ localDescription, remoteDescription }) => [localDescription, remoteDescription].map(({ sdp }) => /a=ice-ufrag:(\S+)/.exec(sdp)[1]));
      });
    const old = await ufrags();
    assert.equal(old.length, 2, "one PeerConnection");
    await fox.page.evaluate(() => void window.dispatchEvent(new Event("online")));
    const now = await until(async () => {
      const found = await ufrags();
      return found[0] !== old[0] && found[1] !== old[1] && found;
    }, "new ICE credentials on both sides");
    assert.equal(now.length, 2, "still one PeerConnection");
    await seeAndHear(fox, chris);
  });
});

describe("a group with Firefox in it", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("Firefox shows everybody under their own name, also who comes in the place of somebody else", async () => {
    const [fox, ...others] = await Promise.all([atFirefox(server.url, "fox"), ...Object.keys(colours).map((name) => atPage(server.url, name))]);
    const [alice, bob, carol] = others;
    await alice.page.reload();
    await alice.page.waitForSelector(".home");
    for (const [at, rgb] of Object.values(colours).entries()) await others[at].page.evaluate(colourCamera, rgb);
    const colourOf = (who) => strongest(Object.values(colours)[others.indexOf(who)]);
    // The very first picture under a name counts: a face must not stand there until a better one comes.
    const seesRightly = async (who) => {
      const { mean } = await until(() => fox.page.evaluate((s) => window.e2e.picture(s), fox.pictureOf(who)), `Firefox sees ${who.uid}`, 30_000);
      assert.equal(strongest(mean), colourOf(who), `under the name of ${who.uid}: ${mean}`);
      const later = await moving(fox.page, fox.pictureOf(who));
      assert.equal(strongest(later.mean), colourOf(who), `under the name of ${who.uid}, later: ${later.mean}`);
    };

    await alice.page.click("text=New group");
    await alice.page.fill("#group-name", "Book club");
    for (const other of [fox, bob, carol]) await alice.page.check(`input[value="${other.uid}"]`);
    await alice.page.click("text=Create group");
    await alice.page.click('.row:has-text("Book club") [data-call="video"]');
    await Promise.all([fox, bob, carol].map((other) => other.rings(alice)));
    await fox.accept();
    await bob.accept();
    await receives(fox.page, { video: 2, audio: 2 }, 30_000);
    await Promise.all([seesRightly(alice), seesRightly(bob)]);

    await bob.hangUp();
    await until(() => fox.page.evaluate((s) => !document.querySelector(s), fox.pictureOf(bob)), "who has left is gone from the screen");
    await carol.accept();
    await Promise.all([seesRightly(alice), seesRightly(carol)]);
    await receives(fox.page, { video: 2, audio: 2 }, 30_000);
    await receives(carol.page, { video: 2, audio: 2 }, 30_000);
    await alice.page.click("text=End for all");
    await Promise.all([fox.told("The call was ended for everyone"), carol.told("The call was ended for everyone")]);
    await close(fox, ...others);
  });
});

describe("Firefox and Firefox", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("call each other by video, see and hear each other, and hang up", async () => {
    const [fox, vixen] = await Promise.all([atFirefox(server.url, "fox"), atFirefox(server.url, "vixen")]);
    await connect(fox, vixen, "video");
    await seeAndHear(fox, vixen);
    await vixen.hangUp();
    await fox.told("Call ended");
    await close(fox, vixen);
  });
});
