// Nobody encodes, sends or decodes pictures that nobody looks at.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { growth, receives, silent } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { sent, show, width } from "./harness/sizes.mjs";
import { story } from "./harness/story.mjs";
import { until } from "./harness/until.mjs";

const both = { video: 1, audio: 1 };

/** Moves what the page shows away from where anybody could see it, or back. */
const scroll = (page, away) =>
  page.evaluate((away) => {
    for (const video of document.querySelectorAll("video")) video.style.top = away ? "5000px" : "0";
  }, away);

/** Has the page believe that its tab is in the background, or in front again. */
const background = (page, hidden) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

/** Which sizes a page has encoded in a second, and how many bytes of pictures it has sent meanwhile. */
async function sends(page) {
  const bytes = () =>
    page.evaluate(async () => {
      let sum = 0;
      for (const report of (await session.peerConnection.getStats()).values()) if (report.type === "outbound-rtp" && report.kind === "video") sum += report.bytesSent;
      return sum;
    });
  const [before, from] = [await sent(page), await bytes()];
  await new Promise((done) => setTimeout(done, 1_000));
  const [after, to] = [await sent(page), await bytes()];
  const rids = after.filter(({ rid, framesEncoded }) => framesEncoded > (before.find((old) => old.rid === rid)?.framesEncoded ?? 0)).map(({ rid }) => rid);
  return { rids, bytes: to - from };
}

/** Waits until a page encodes these sizes and no others. */
const encodes = (page, wanted) =>
  until(async () => {
    const { rids } = await sends(page);
    return rids.sort().join() === wanted.sort().join();
  }, `the sizes ${wanted.join(", ") || "(none)"} are encoded, and no others`, 30_000);

/** Runs in the page: resolves with the milliseconds from `change` until a picture is decoded that was not before. */
async function untilPicture(change) {
  const frames = async () => (await window.e2e.inbound()).reduce((sum, { framesDecoded }) => sum + framesDecoded, 0);
  const [before, began] = [await frames(), performance.now()];
  eval(change)();
  while ((await frames()) === before) await new Promise((done) => setTimeout(done, 10));
  return Math.round(performance.now() - began);
}

describe("pictures that nobody looks at", () => {
  let server, alice, bob;
  before(async () => {
    server = await startServer();
    [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await show(bob.page, 1280);
    await until(async () => (await width(bob.page)) === 1280, "the largest size comes", 30_000);
  });
  after(async () => {
    await Promise.all([alice?.close(), bob?.close()]);
    await server?.stop();
  });

  const ways = {
    "scrolled away": { hide: () => scroll(bob.page, true), back: `() => document.querySelectorAll("video").forEach((video) => (video.style.top = "0"))` },
    "tab in the background": { hide: () => background(bob.page, true), back: `() => { delete document.visibilityState; document.dispatchEvent(new Event("visibilitychange")); }` },
  };
  for (const [what, { hide, back }] of Object.entries(ways)) {
    story(`wishes, ${what}: the server pauses the picture, its publisher stops encoding it, sound goes on; shown again, it is back at once`, async () => {
      await hide();
      await silent(bob.page, "video");
      await receives(bob.page, { audio: 1 });
      await encodes(alice.page, []);
      const { bytes } = await sends(alice.page);
      assert.ok(bytes < 2_000, `${bytes} bytes of pictures left in a second`);
      await receives(alice.page, both); // the other direction is another matter
      const took = await bob.page.evaluate(`(${untilPicture})(${JSON.stringify(back)})`);
      console.log(`      the picture is back after ${took} ms`);
      assert.ok(took < 3_000, `back after ${took} ms`);
      await receives(bob.page, both);
      await until(async () => (await width(bob.page)) === 1280, "the largest size comes again", 30_000);
    });
  }

  story("wishes, a small tile: the larger sizes are neither sent nor encoded, and come back with the room for them", async () => {
    await show(bob.page, 160);
    await until(async () => (await width(bob.page)) === 320, "the smallest size comes");
    await encodes(alice.page, ["q"]);
    const [frames] = await growth(bob.page, "video", "framesDecoded", 1000);
    assert.ok(frames > 3, `${frames} pictures in a second`);
    await show(bob.page, 1280);
    await until(async () => (await width(bob.page)) === 1280, "the largest size comes again", 30_000);
  });
});
