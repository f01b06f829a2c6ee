// How long from the callee's click on Accept to the first decoded frame, at the caller and at the callee.
//   node e2e/measure-accept.mjs [rounds]      (PARLEY_BIN names a built server)
import { closeBrowser } from "./harness/browser.mjs";
import { atPage } from "./harness/person.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/until.mjs";

const rounds = Number(process.argv[2] ?? 10);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const server = await startServer({ "calls.rings_per_minute": "100" });
const [alice, bob] = await Promise.all([atPage(server.url, "alice"), atPage(server.url, "bob")]);

/** Notes when the other's tile shows its first decoded frame; both pages run on this machine's clock. */
const watch = (person, other) =>
  person.page.evaluate((uid) => {
    window.firstFrame = undefined;
    const look = () => {
      const video = document.querySelector(`.tile[data-user="${uid}"]:not(.self):not(.waiting) video`);
      if (video) video.requestVideoFrameCallback(() => (window.firstFrame ??= performance.timeOrigin + performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  }, other.uid);
const first = (person) => until(() => person.page.evaluate(() => window.firstFrame), `${person.uid} decodes a frame`, 20_000);

const caller = [];
const callee = [];
for (let round = 0; round < rounds; round++) {
  await alice.call(bob);
  await bob.rings(alice);
  await alice.page.waitForSelector(".tile.self video:not([data-off])");
  // People take a moment to answer; by then the caller's media path is up.
  await new Promise((done) => setTimeout(done, 1500));
  await Promise.all([watch(alice, bob), watch(bob, alice)]);
  const clicked = await bob.page.evaluate(() => {
    const at = performance.timeOrigin + performance.now();
    document.querySelector("dialog .choice.yes").click();
    return at;
  });
  const [atAlice, atBob] = await Promise.all([first(alice), first(bob)]);
  caller.push(Math.round(atAlice - clicked));
  callee.push(Math.round(atBob - clicked));
  await alice.hangUp();
  await bob.home();
}
console.log(`accept to first decoded frame, ${rounds} rounds, ms`);
console.log(`  caller: median ${median(caller)}   (${caller.join(" ")})`);
console.log(`  callee: median ${median(callee)}   (${callee.join(" ")})`);
await closeBrowser();
await server.stop();
