// Takes the picture of the README from a real call of three drawn people: node e2e/preview/readme.mjs [folder]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closeBrowser, newContext } from "../harness/browser.mjs";
import { receives } from "../harness/media.mjs";
import { Person } from "../harness/person.mjs";
import { startServer } from "../harness/server.mjs";
import { until } from "../harness/until.mjs";
import { drawnCamera, portrait } from "./people.mjs";

const [folder = fileURLToPath(new URL("../../../docs/images/", import.meta.url))] = process.argv.slice(2);
const names = { alice: "Alice Moreau", bob: "Bob Okafor", carol: "Carol Lindqvist" };

await mkdir(folder, { recursive: true });
const server = await startServer({ "calls.ring_timeout": "60s" });
/** Somebody with a full name; the page itself has no field for it. */
async function sitDown([uid, name]) {
  const { context, problems } = await newContext(server.url, { viewport: { width: 1280, height: 490 }, colorScheme: "dark" });
  const page = await context.newPage();
  await page.route("**/v1/auth/login", (route) => route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), name }) }));
  const person = new Person(page, uid, problems);
  await person.open(server.url);
  return person;
}
const people = await Promise.all(Object.entries(names).map(sitDown));
const [alice, bob, carol] = people;
await alice.page.reload();
await alice.page.waitForSelector(".home");
for (const person of people) await person.page.evaluate(drawnCamera, portrait(person.uid));

await alice.page.click("text=New group");
await alice.page.fill("#group-name", "Book club");
for (const other of [bob, carol]) await alice.page.check(`input[value="${other.uid}"]`);
await alice.page.click("text=Create group");
await alice.page.click('.row:has-text("Book club") [data-call="video"]');
await Promise.all([bob.rings(), carol.rings()]);
await bob.accept();
await alice.talking();
await carol.accept();
await Promise.all(people.map((person) => receives(person.page, { video: 2, audio: 2 }, 60_000)));
// Senders raise the resolution step by step.
await until(async () => (await alice.page.evaluate(() => window.e2e.inbound())).filter((s) => s.frameWidth >= 960).length === 2, "sharp pictures", 120_000);
await carol.page.click(".tool.mic");
await alice.page.mouse.move(640, 5);
await new Promise((done) => setTimeout(done, 4_000));
await alice.page.screenshot({ path: join(folder, "call.png") });

await Promise.all(people.map((person) => person.close()));
await closeBrowser();
await server.stop();
