// One camera in three sizes: who receives it sees one stream, whatever the publisher stops and starts again.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { growth, receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { codec, largest, layered, sent, show, width } from "./harness/sizes.mjs";
import { until } from "./harness/until.mjs";

const both = { video: 1, audio: 1 };

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

  for (const mime of ["video/VP9", "video/AV1"]) {
    story(`SVC in ${mime}: of one stream a receiver gets the size that it looks at, and the picture goes on`, async () => {
      const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
      await connectSDK(alice, bob, "() => ({ simulcast: false })");
      await Promise.all([receives(alice.page, both), receives(bob.page, both)]);
      await show(bob.page, 1280);
      await layered(alice.page, mime);
      await until(async () => (await codec(bob.page)) === mime, `${mime} comes`, 30_000);
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
  }
});
