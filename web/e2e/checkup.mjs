// The test of the connection, without a call.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { atSDK } from "./harness/blank.mjs";
import { atPage } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";

describe("the test of a connection", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("every way that the server offers works, and a picture goes up and comes back", async () => {
    const alice = await atSDK(server.url, "alice");
    const test = await alice.page.evaluate(async () => {
      const heard = [];
      const test = await client.connectionTest({ progress: ({ name }) => heard.push(name) });
      return { ...test, heard };
    });
    const outcome = Object.fromEntries(test.results.map(({ name, result }) => [name, result]));
    const { bitrate, ...ways } = outcome;
    assert.deepEqual(ways, { signaling: "passed", udp: "passed", tcp: "passed", turnUdp: "passed", turnTcp: "passed", turnTls: "skipped" }, JSON.stringify(test));
    assert.equal(new Set(test.heard).size, 7, "each part was heard of once");
    const sent = test.results.find(({ name }) => name === "bitrate");
    assert.ok(sent.bitrate > 100_000, `something came back: ${JSON.stringify(sent)}`); // how much, depends on the machine
    assert.equal(test.light, bitrate === "passed" ? "green" : "yellow");
    await alice.close();
  });

  story("UDP blocked: the light is yellow, and says that TCP works", async () => {
    const alice = await atSDK(server.url, "alice");
    const test = await alice.page.evaluate(async () => {
      // As a firewall would: of all candidates only those over TCP are left.
      const set = RTCPeerConnection.prototype.setRemoteDescription;
      RTCPeerConnection.prototype.setRemoteDescription = function (description) {
        const lines = description.sdp.split("\r\n").filter((line) => !/^a=candidate:\S+ \d+ udp /i.test(line));
        return set.call(this, { ...description, sdp: lines.join("\r\n") });
      };
      return client.connectionTest();
    });
    const outcome = Object.fromEntries(test.results.map(({ name, result }) => [name, result]));
    assert.equal(outcome.udp, "failed");
    assert.equal(outcome.tcp, "passed");
    assert.equal(test.light, "yellow");
    assert.match(test.results.find(({ name }) => name === "udp").reason, /No/);
    await alice.close();
  });

  story("the page shows it as a traffic light and in words", async () => {
    const alice = await atPage(server.url, "alice");
    await alice.page.click('[aria-label="Test my connection"]');
    await alice.page.locator(".light:is([data-light=green], [data-light=yellow])").waitFor({ timeout: 60_000 });
    assert.match(await alice.page.locator(".light-title").innerText(), /Ready for calls|Calls will work/);
    assert.equal(await alice.page.locator('.checks .row[data-result="passed"]').count() >= 5, true);
    await alice.page.keyboard.press("Escape");
    await alice.page.locator("dialog").waitFor({ state: "detached" });
    await alice.close();
  });
});
