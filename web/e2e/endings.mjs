// Calls that come to nothing, and how each side hears of it.
import { after, before, describe } from "node:test";
import { story } from "./harness/story.mjs";
import { receives } from "./harness/media.mjs";
import { atPage, connect } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";

describe("a call that is not taken", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());
  const two = () => Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
  const close = (...people) => Promise.all(people.map((person) => person.close()));

  story("rejected: the caller is told, and the callee's other device stops ringing", async () => {
    const [alice, bob] = await two();
    const bobsPhone = await bob.otherDevice(server.url);
    await alice.call(bob);
    await Promise.all([bob.rings(alice), bobsPhone.rings(alice)]);
    await bob.decline();
    await alice.told(`${bob.uid} declined`);
    await bobsPhone.ringsNoMore();
    await bobsPhone.told("Declined on another device");
    await close(alice, bob, bobsPhone);
  });

  story("cancelled: it stops ringing and is listed as missed", async () => {
    const [alice, bob] = await two();
    await alice.call(bob);
    await bob.rings(alice);
    await alice.hangUp();
    await bob.ringsNoMore();
    await bob.told("Missed video call");
    await bob.page.waitForSelector(`.row.missed:has-text("${alice.uid}")`);
    await close(alice, bob);
  });

  story("busy: the caller is told at once, the talk goes on, the callee sees a missed call", async () => {
    const [alice, bob] = await two();
    const carol = await atPage(server.url, "carol");
    await connect(alice, bob, "audio");
    // The toast goes away by itself, so it is awaited from the start.
    const toast = bob.page.waitForSelector(`.toast:has-text("${carol.uid}")`);
    await carol.dial(bob, "audio");
    await Promise.all([carol.told(`${bob.uid} is in another call`), toast]);
    await Promise.all([receives(alice.page, { audio: 1 }), receives(bob.page, { audio: 1 })]);
    await alice.hangUp();
    await bob.home();
    await bob.page.waitForSelector(`.row.missed:has-text("${carol.uid}")`);
    await close(alice, bob, carol);
  });

  story("nobody there: ringing oneself is refused in words", async () => {
    const alice = await atPage(server.url, "alice");
    await alice.dial(alice);
    await alice.told("That is you");
    await close(alice);
  });

  story("two who call each other at once end up in one call", async () => {
    const [alice, bob] = await two();
    await Promise.all([alice.page.fill("#find", bob.uid), bob.page.fill("#find", alice.uid)]);
    const dialNow = (person) => person.page.evaluate(() => document.querySelector(".dial-row").requestSubmit());
    await Promise.all([dialNow(alice), dialNow(bob)]);
    await Promise.all([alice.talking(), bob.talking()]);
    await Promise.all([receives(alice.page, { video: 1, audio: 1 }), receives(bob.page, { video: 1, audio: 1 })]);
    await bob.hangUp();
    await alice.told("Call ended");
    await close(alice, bob);
  });
});

describe("a call that nobody takes", () => {
  let server;
  before(async () => (server = await startServer({ "calls.ring_timeout": "10s" })));
  after(() => server?.stop());

  story("no answer: the server ends the ringing for both", async () => {
    const [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);
    await alice.call(bob, "audio");
    await bob.rings(alice);
    await alice.told(`${bob.uid} didn't answer`, 25_000);
    await bob.ringsNoMore();
    await bob.told("Missed audio call");
    await Promise.all([alice.close(), bob.close()]);
  });
});
