// What makes sound stand losses, as the browser sees it.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK, connectSDK } from "./harness/blank.mjs";
import { receives } from "./harness/media.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

/** What a page's reports say of sound: bytes of a packet that it sends and that it receives, on average, and what it made up of what it heard. */
const sound = (page) =>
  page.evaluate(async () => {
    const stats = await session.peerConnection.getStats();
    const found = { sent: 0, received: 0, concealed: 0, samples: 0 };
    for (const report of stats.values()) {
      if (report.kind !== "audio") continue;
      if (report.type === "outbound-rtp") found.sent = report.bytesSent / report.packetsSent;
      if (report.type === "inbound-rtp" && report.packetsReceived > 0) {
        found.received = report.bytesReceived / report.packetsReceived;
        found.concealed += (report.concealedSamples ?? 0) - (report.silentConcealedSamples ?? 0);
        found.samples += report.totalSamplesReceived ?? 0;
      }
    }
    return found;
  });

describe("sound", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("sound: a microphone is sent with copies (RED), and heard by who gets it without", async () => {
    const [alice, bob] = await Promise.all([atSDK(server.url, "alice"), atSDK(server.url, "bob")]);
    await connectSDK(alice, bob, "() => ({})");
    await Promise.all([receives(alice.page, { audio: 1 }), receives(bob.page, { audio: 1 })]);
    const before = await sound(bob.page);
    const after = await until(async () => {
      const now = await sound(bob.page);
      return now.samples - before.samples > 3 * 48000 && now;
    }, "three seconds of sound");
    assert.ok(after.concealed - before.concealed < 48000, `of ${after.samples - before.samples} samples ${after.concealed - before.concealed} were made up`);
    const { sent } = await sound(alice.page);
    assert.ok(after.received < 0.8 * sent, `packets of ${sent} bytes left, and of ${after.received} bytes came`);
    await Promise.all([alice.close(), bob.close()]);
  });
});
