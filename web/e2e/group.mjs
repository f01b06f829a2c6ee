// Three people of a group in one call.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { colourCamera, colours, strongest } from "./harness/colours.mjs";
import { story } from "./harness/story.mjs";
import { moving, receives } from "./harness/media.mjs";
import { atPage } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

describe("a group of three", () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server?.stop());

  story("each sees and hears the two others, under the right names; one leaves, the others go on", async () => {
    const people = await Promise.all(Object.keys(colours).map((name) => atPage(server.url, name)));
    const [alice, bob, carol] = people;
    for (const [at, rgb] of Object.values(colours).entries()) await people[at].page.evaluate(colourCamera, rgb);

    await alice.page.reload();
    await alice.page.waitForSelector(".home");
    await alice.page.evaluate(colourCamera, colours.alice);
    await alice.page.click("text=New group");
    await alice.page.fill("#group-name", "Book club");
    for (const other of [bob, carol]) await alice.page.check(`input[value="${other.uid}"]`);
    await alice.page.click("text=Create group");
    await alice.page.click('.row:has-text("Book club") [data-call="video"]');
    await Promise.all([bob.rings(alice), carol.rings(alice)]);
    await bob.accept();
    await alice.talking();
    await carol.accept();

    await Promise.all(people.map((person) => receives(person.page, { video: 2, audio: 2 }, 30_000)));
    for (const person of people) {
      for (const [at, other] of people.entries()) {
        if (other === person) continue;
        const { mean } = await moving(person.page, person.pictureOf(other));
        const rgb = Object.values(colours)[at];
        assert.equal(strongest(mean), strongest(rgb), `${person.uid} sees under the name of ${other.uid}: ${mean}`);
      }
    }

    await bob.hangUp();
    for (const person of [alice, carol]) {
      await until(async () => (await person.page.locator(person.pictureOf(bob)).count()) === 0, "who has left is gone from the screen");
      await receives(person.page, { video: 1, audio: 1 });
    }
    await bob.page.click("text=Join here");
    await bob.talking();
    await Promise.all(people.map((person) => receives(person.page, { video: 2, audio: 2 }, 30_000)));

    await alice.page.click("text=End for all");
    await Promise.all([bob.told("The call was ended for everyone"), carol.told("The call was ended for everyone")]);
    await Promise.all(people.map((person) => person.close()));
  });
});
