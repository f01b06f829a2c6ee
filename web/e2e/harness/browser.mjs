// One Chromium for the whole run; one context per person.
import { chromium } from "playwright-core";
import { instrument } from "./instrument.mjs";

let running;

/** How a browser is started. CHROME names another one. */
export const launchOptions = () => ({
  executablePath: process.env.CHROME ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream=fps=15",
    "--use-fake-ui-for-media-stream",
    "--auto-accept-this-tab-capture",
  ],
});

/** The browser, started at the first need. */
export function browser() {
  running ??= chromium.launch(launchOptions());
  return running;
}

/** Opens an empty context with camera and microphone allowed. problems collects what its pages complain of; owner is another browser than that of the run. */
export async function newContext(url, options = {}, owner = browser()) {
  const context = await (await owner).newContext({ viewport: { width: 1024, height: 720 }, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["microphone", "camera"], { origin: url });
  await context.addInitScript(instrument);
  context.setDefaultTimeout(20_000);
  const problems = [];
  context.on("weberror", (error) => problems.push(error.error().message));
  context.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Refused to/.test(message.text())) problems.push(message.text());
  });
  return { context, problems };
}

/** Ends the browser, if one was started. */
export async function closeBrowser() {
  const started = running;
  running = undefined;
  await (await started)?.close();
}
