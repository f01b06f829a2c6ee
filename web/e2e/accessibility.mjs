// The page by keyboard, and checked by axe in its main states.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { AxeBuilder } from "@axe-core/playwright";
import { newContext } from "./harness/browser.mjs";
import { atPage, connect } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

async function clean(page, state) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  assert.deepEqual(said, [], `axe finds in ${state}`);
}

describe("the page for everybody", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  for (const colorScheme of ["light", "dark"]) {
    story(`axe finds nothing in any state (${colorScheme})`, async () => {
      const { context } = await newContext(server.url, { colorScheme });
      const door = await context.newPage();
      await door.goto(server.url);
      await door.waitForSelector("#who");
      await clean(door, "sign-in");
      await context.close();

      const alice = await atPage(server.url, "alice", { colorScheme });
      const bob = await atPage(server.url, "bob", { colorScheme, viewport: { width: 390, height: 844 } });
      await clean(alice.page, "home");
      await alice.page.click('[aria-label="Devices"]');
      await alice.page.waitForSelector("dialog .preview");
      await clean(alice.page, "devices");
      await alice.page.keyboard.press("Escape");
      await alice.call(bob);
      await bob.rings(alice);
      await Promise.all([clean(alice.page, "outgoing"), clean(bob.page, "incoming")]);
      await bob.accept();
      await alice.talking();
      await clean(alice.page, "call");
      await clean(bob.page, "call on a phone");
      await bob.hangUp();
      await alice.told("Call ended");
      await clean(alice.page, "after a call");
      await Promise.all([alice.close(), bob.close()]);
    });
  }

  story("axe finds nothing in a meeting, nor at its door", async () => {
    const host = await atPage(server.url, "host");
    await host.page.click("text=Start a meeting");
    const link = await until(() => host.page.inputValue("#invite-link"), "there is a link");
    await clean(host.page, "the invitation");
    await host.page.keyboard.press("Escape");
    await host.talking();
    await host.page.keyboard.press("h");
    await host.page.waitForSelector('.tool.raise[data-on="true"]');
    await host.page.click(".stage-head .people");
    await clean(host.page, "the people");
    const { context } = await newContext(server.url, { viewport: { width: 390, height: 844 } });
    const door = await context.newPage();
    await door.goto(link);
    await door.waitForSelector("#guest-name");
    await clean(door, "the door");
    await context.close();
    await host.close();
  });

  story("a whole call by keyboard alone", async () => {
    const [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
    const { keyboard } = alice.page;
    // The search field has focus; the way to it from elsewhere is "/".
    await keyboard.type(bob.uid);
    await keyboard.press("Enter");
    await bob.rings(alice);
    assert.match(await bob.page.title(), new RegExp(alice.uid));
    await bob.page.keyboard.press("a");
    await Promise.all([alice.talking(), bob.talking()]);
    await keyboard.press("m");
    await alice.page.waitForSelector('.tool.mic[data-off="true"]');
    await keyboard.press("Tab");
    assert.equal(await alice.page.evaluate(() => document.activeElement.className), "tool mic");
    await keyboard.press("Space");
    await alice.page.waitForSelector(".tool.mic:not([data-off])");
    await keyboard.press("Escape");
    await alice.page.waitForSelector('.toast:has-text("Esc again")');
    assert.ok(await alice.page.locator(".stage").isVisible(), "one Esc ends no call");
    // The second Esc counts while the first is fresh; a slow machine may need another pair.
    await until(async () => {
      await keyboard.press("Escape");
      return alice.page.waitForSelector(".home", { timeout: 1_000 });
    }, "Esc again hangs up");
    await bob.told("Call ended");
    assert.equal(await alice.page.evaluate(() => document.activeElement.id), "find");
    await Promise.all([alice.close(), bob.close()]);
  });

  story("no connection at all is said in words, and a wrong id does not sign in", async () => {
    const { context } = await newContext(server.url);
    const page = await context.newPage();
    await page.route("**/v1/config", (route) => route.abort());
    await page.goto(server.url);
    await page.waitForSelector("text=The server cannot be reached.");
    await page.unroute("**/v1/config");
    await page.click("text=Try again");
    await page.fill("#who", "not an id");
    await page.press("#who", "Enter");
    await page.waitForSelector('.problem:has-text("Use letters")');
    await context.close();
  });
});
