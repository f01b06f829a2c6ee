// Meetings by link, moderators, the server's log, and blocking.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { newContext } from "./harness/browser.mjs";
import { moving, receives } from "./harness/media.mjs";
import { Person, atPage, connect } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";
import { until } from "./harness/until.mjs";

/** Opens a link to a meeting, in a browser that has no account here. */
async function atDoor(url, link) {
  const { context, problems } = await newContext(url);
  const guest = new Person(await context.newPage(), "guest", problems);
  await guest.page.goto(link);
  return guest;
}

/** Comes in as a guest of this name. */
async function visit(url, link, name) {
  const guest = await atDoor(url, link);
  await guest.page.fill("#guest-name", name);
  await guest.page.click("[type=submit]");
  await guest.talking();
  guest.tile = `.tile[aria-label^="${name}"]`;
  return guest;
}

/** Starts a meeting and gives the link to it. */
async function hold(person) {
  await person.page.click("text=Start a meeting");
  const link = await until(() => person.page.inputValue("#invite-link"), "there is a link");
  await person.page.keyboard.press("Escape");
  await person.talking();
  return link;
}

const headline = (person, text) => person.page.locator("h1", { hasText: text }).waitFor();

describe("a meeting", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("two guests come by link, see and hear each other; hands, muting, removing, ending for all", async () => {
    const host = await atPage(server.url, "host");
    const link = await hold(host);
    const [gwen, finn] = await Promise.all([visit(server.url, link, "Gwen"), visit(server.url, link, "Finn")]);
    await Promise.all([host, gwen, finn].map((person) => receives(person.page, { video: 2, audio: 2 }, 30_000)));
    await Promise.all([moving(gwen.page, `${finn.tile} video`), moving(finn.page, `${gwen.tile} video`)]);

    await gwen.page.keyboard.press("h");
    await host.page.waitForSelector('.toast:has-text("Gwen raised a hand")');
    await finn.page.waitForSelector(`${gwen.tile} .plate-hand:not([hidden])`);
    assert.equal(await finn.page.locator("text=End for all").isVisible(), false, "a guest moderates nobody");
    await finn.page.click(".stage-head .people");
    assert.match(await finn.page.locator("dialog .row").first().innerText(), /Gwen[^]*hand raised/);
    assert.equal(await finn.page.locator('dialog [aria-label^="Remove"]').count(), 0);
    await finn.page.keyboard.press("Escape");

    await host.page.click(".stage-head .people");
    await host.page.click('[aria-label="Lower the hand of Gwen"]');
    await gwen.page.waitForSelector(".tool.raise:not([data-on])");
    await host.page.click('[aria-label="Mute Gwen"]');
    await gwen.page.waitForSelector('.toast:has-text("muted your microphone")');
    await gwen.page.waitForSelector('.tool.mic[data-off="true"]');
    await finn.page.waitForSelector(`${gwen.tile} .plate-muted:not([hidden])`);
    await gwen.page.keyboard.press("m");
    await finn.page.waitForSelector(`${gwen.tile} .plate-muted`, { state: "hidden" });

    await host.page.click('[aria-label="Remove Gwen from this call"]');
    await host.page.click('[aria-label^="Really remove Gwen"]');
    await headline(gwen, "You were removed from this call");
    assert.equal(await gwen.page.locator("text=Come back").count(), 0);
    await finn.page.locator(gwen.tile).waitFor({ state: "detached" });
    await host.page.keyboard.press("Escape");
    await gwen.page.reload();
    await gwen.page.click("[type=submit]");
    await headline(gwen, "You cannot come in");

    await host.page.click("text=End for all");
    await host.home();
    await headline(finn, "The call was ended for everyone");
    await host.page.waitForSelector('[aria-label="Recent calls"] .row.meeting');
    await Promise.all([host, gwen, finn].map((person) => person.close()));
  });

  story("an invitation that has expired, or is none, is said to be so", async () => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const made = (exp) => `${server.url}/#invitation=${part({ alg: "HS256" })}.${part({ iss: "devkey", aud: "parley-invitation", session: { id: "weekly" }, exp })}.AAAA`;
    const now = Math.floor(Date.now() / 1000);
    const guest = await atDoor(server.url, made(now - 3600));
    await headline(guest, "This invitation has expired");
    await guest.page.goto(`${server.url}/#invitation=nothing`);
    await headline(guest, "This is not an invitation");
    await guest.page.goto(made(now + 3600));
    await guest.page.fill("#guest-name", "Gwen");
    await guest.page.click("[type=submit]");
    await headline(guest, "This invitation is not valid");
    await guest.close();
  });

  story("past calls are the server's; who is blocked cannot ring, nor be rung", async () => {
    const [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
    await connect(alice, bob, "audio");
    await alice.hangUp();
    await bob.told("Call ended");
    const phone = await alice.otherDevice(server.url);
    await phone.page.waitForSelector(`[aria-label="Recent calls"] .row.outgoing:has-text("${bob.uid}")`);
    await bob.page.waitForSelector(`[aria-label="Recent calls"] .row.incoming:has-text("${alice.uid}")`);
    await phone.close();

    await bob.page.fill("#find", alice.uid);
    await bob.page.click(`#people [aria-label="More about ${alice.uid}"]`);
    await bob.page.click("dialog .button.danger");
    await bob.page.waitForSelector('#people .row:has-text("Blocked")');
    await alice.dial(bob);
    await alice.told("They take no calls from you.");
    await bob.dial(alice);
    await bob.told("You have blocked them.");
    await bob.page.fill("#find", alice.uid);
    await bob.page.click(`#people [aria-label="More about ${alice.uid}"]`);
    await bob.page.click("dialog >> text=Unblock");
    await connect(alice, bob, "audio");
    await bob.hangUp();
    await Promise.all([alice.close(), bob.close()]);
  });
});

describe("a meeting that nobody else comes to", () => {
  let server;
  before(async () => (server = await startServer({ "calls.alone_timeout": "2s" })));
  after(() => server?.stop());

  story("ends, and says why", async () => {
    const host = await atPage(server.url, "host");
    await hold(host);
    await host.told("Nobody else was there");
    await host.close();
  });
});
