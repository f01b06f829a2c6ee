// A server as operators run it: no open door, tokens made by their own key.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { newContext } from "./harness/browser.mjs";
import { receives } from "./harness/media.mjs";
import { atPage, connect, fresh } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";

describe("outside development", () => {
  let server;
  before(async () => (server = await startServer({}, { secret: "a secret of the browser tests, long enough" })));
  after(() => server?.stop());

  story("people sign in with tokens, and call", async () => {
    const people = await Promise.all(
      ["alice", "bob"].map(async (name) => {
        const uid = fresh(name);
        return atPage(server.url, name, { uid, token: await server.token(uid) });
      }),
    );
    const [alice, bob] = people;
    await connect(alice, bob, "video");
    await Promise.all(people.map((person) => receives(person.page, { video: 1, audio: 1 })));
    await bob.hangUp();
    await alice.told("Call ended");
    await Promise.all(people.map((person) => person.close()));
  });

  story("a token of nobody's is refused in words", async () => {
    const { context } = await newContext(server.url);
    const page = await context.newPage();
    await page.goto(server.url);
    const made = await server.token("mallory");
    await page.fill("#who", `${made.slice(0, -6)}AAAAAA`);
    await page.click("[type=submit]");
    await page.waitForSelector('.problem:has-text("sign-in")');
    await page.fill("#who", "no token at all");
    await page.click("[type=submit]");
    await page.waitForSelector('.problem:has-text("not a token")');
    assert.equal(await page.locator("text=development").count(), 0);
    await context.close();
  });
});
