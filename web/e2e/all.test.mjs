// Every browser test, in one process: they share one browser, and one server where they can.
//   npm run e2e              all of them
//   E2E=relay npm run e2e    some, by name
import { after } from "node:test";
import { closeBrowser } from "./harness/browser.mjs";

after(closeBrowser);

await import("./calls.mjs");
await import("./endings.mjs");
await import("./group.mjs");
await import("./instant.mjs");
await import("./meetings.mjs");
await import("./controls.mjs");
await import("./data.mjs");
await import("./network.mjs");
await import("./simulcast.mjs");
await import("./wishes.mjs");
await import("./sound.mjs");
await import("./checkup.mjs");
await import("./roaming.mjs");
await import("./sleep.mjs");
await import("./corners.mjs");
await import("./cometchat.mjs");
await import("./voip.mjs");
await import("./push.mjs");
await import("./production.mjs");
await import("./hooks.mjs");
await import("./package.mjs");
await import("./accessibility.mjs");
