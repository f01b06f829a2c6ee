// One camera in three sizes: who receives it sees one stream, whatever the publisher stops and starts again.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { growth, receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

const both = { video: 1, audio: 1 };

/** What the video that a page sends is made of: one entry per encoding, from the smallest. */
const sent = (page) =>
  page.evaluate(async () => {
    const stats = await session.peerConnection.getStats();
    const found = [...stats.values()].filter(({ type, kind, rid }) => type === "outbound-rtp" && kind === "video" && rid);
    return found.map(({ rid, frameWidth = 0, framesEncoded = 0, active }) => ({ rid, frameWidth, framesEncoded, active })).sort((a, b) => a.frameWidth - b.frameWidth);
  });

/** Turns the largest encoding on or off, as a browser does when its processor or its link cannot carry it. */
const largest = (page, active) =>
  page.evaluate(async (active) => {
    const sender = session.peerConnection.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender.getParameters();
    parameters.encodings.at(-1).active = active;
    await sender.setParameters(parameters);
  }, active);

const width = async (page) => Math.max(0, ...(await page.evaluate(() => window.e2e.inbound())).filter(({ kind }) => kind === "video").map(({ frameWidth }) => frameWidth));

/** Makes the picture that a page shows so wide: the server sends no larger one than is looked at. */
const show = (page, pixels) =>
  page.evaluate((pixels) => {
    for (const video of document.querySelectorAll("video")) Object.assign(video, { width: pixels, height: (pixels * 3) / 4 });
  }, pixels);

/** Publishes one stream with three sizes and three frame rates inside it (VP9 SVC). */
const layered = (page) =>
  page.evaluate(async () => {
    const sender = session.peerConnection.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender.getParameters();
    const codec = parameters.codecs.find(({ mimeType, sdpFmtpLine = "" }) => mimeType === "video/VP9" && !/profile-id=[^0]/.test(sdpFmtpLine));
    Object.assign(parameters.encodings[0], { scalabilityMode: "L3T3_KEY", codec });
    await sender.setParameters(parameters);
  });

/** What the video that a page receives is coded with. */
const codec = (page) =>
  page.evaluate(async () => {
    const stats = await session.peerConnection.getStats();
    const video = [...stats.values()].find(({ type, kind, framesDecoded }) => type === "inbound-rtp" && kind === "video" && framesDecoded > 0);
    return stats.get(video?.codecId)?.mimeType;
  });

describe("simulcast", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("simulcast: the largest size comes, is stopped and comes back, and the picture goes on", async () => {
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await connectSDK(alice, bob, "() => ({ simulcast: true })");
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    const sizes = await until(async () => {
      const all = await sent(alice.page);
      return all.length === 3 && all.every(({ framesEncoded }) => framesEncoded > 0) && all;
    }, "all three sizes are sent", 30_000);
    const full = sizes[2].frameWidth;
    await show(bob.page, full);
    await until(async () => (await width(bob.page)) === full, `a picture ${full} wide comes`, 30_000);
    for (let round = 0; round < 2; round++) {
      await largest(alice.page, false);
      await until(async () => (await width(bob.page)) === sizes[1].frameWidth, `a picture ${sizes[1].frameWidth} wide comes`);
      const [frames] = await growth(bob.page, "video", "framesDecoded", 1000);
      assert.ok(frames > 3, `${frames} pictures in a second`);
      await largest(alice.page, true);
      await until(async () => (await width(bob.page)) === full, `a picture ${full} wide comes again`, 30_000);
    }
    await Promise.all([alice.close(), bob.close()]);
  });

  story("SVC: of one stream a receiver gets the size that it looks at, and the picture goes on", async () => {
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await connectSDK(alice, bob);
    await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
    await show(bob.page, 1280);
    await layered(alice.page);
    await until(async () => (await codec(bob.page)) === "video/VP9", "VP9 comes", 30_000);
    const full = await until(async () => (await width(bob.page)) >= 640 && width(bob.page), "the full size comes", 30_000);
    for (let round = 0; round < 2; round++) {
      await show(bob.page, full / 2);
      await until(async () => (await width(bob.page)) === full / 2, `a picture ${full / 2} wide comes`);
      const [frames] = await growth(bob.page, "video", "framesDecoded", 1000);
      assert.ok(frames > 3, `${frames} pictures in a second`);
      await show(bob.page, full);
      await until(async () => (await width(bob.page)) === full, `a picture ${full} wide comes again`, 30_000);
    }
    await Promise.all([alice.close(), bob.close()]);
  });
});
