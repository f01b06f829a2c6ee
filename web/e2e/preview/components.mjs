// Screenshots of the React components in every state, light, dark and on a phone, with what axe says of them:
//   node e2e/preview/components.mjs FOLDER [scene, or scene-light, scene-dark, scene-phone …]
import { AxeBuilder } from "@axe-core/playwright";
import { build } from "esbuild";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const [folder = "shots", ...only] = process.argv.slice(2);
const bundled = await build({ entryPoints: [join(here, "components.tsx")], bundle: true, write: false, outdir: "out", format: "esm", jsx: "automatic", define: { "process.env.NODE_ENV": '"development"' } });
const text = (ending) => bundled.outputFiles.find(({ path }) => path.endsWith(ending)).text;
const html = '<!doctype html><html lang="en"><title>Components</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><link rel="stylesheet" href="/c.css">' +
  '<style>body{margin:0;background:#f5f6f3}@media(prefers-color-scheme:dark){body{background:#12181a}}main{padding:1.5rem;display:grid;justify-items:center}</style><div id="root"></div><script type="module" src="/c.js"></script></html>';
const server = createServer((request, response) => {
  const [type, body] = request.url === "/c.js" ? ["text/javascript", text(".js")] : request.url === "/c.css" ? ["text/css", text(".css")] : ["text/html", html];
  response.setHeader("content-type", type).end(body);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}/`;

const calls = ["calling", "call", "audio", "muted", "weak", "group3", "group9", "moderate3", "screen", "reconnecting", "devices"];
const names = ["incoming", "incomingGroup", "incomingBusy", "prejoin", "prejoinOff", "prejoinAudio", "prejoinRefused", "prejoinGreen", "prejoinRed", "notice", ...calls];
const steps = {
  devices: (p) => p.getByRole("button", { name: "Devices" }).click(),
  prejoinGreen: (p) => p.getByRole("button", { name: "Test the network" }).click(),
  prejoinRed: (p) => p.getByRole("button", { name: "Test the network" }).click(),
};

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream=fps=15", "--autoplay-policy=no-user-gesture-required"],
});
let complaints = 0;
for (const name of names) {
  for (const [look, viewport, colorScheme] of [["light", { width: 1280, height: 800 }, "light"], ["dark", { width: 1280, height: 800 }, "dark"], ["phone", { width: 390, height: 844 }, "light"]]) {
    if (only.length > 0 && !only.includes(name) && !only.includes(`${name}-${look}`)) continue;
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
    if (name !== "prejoinRefused") await context.grantPermissions(["camera", "microphone"], { origin: url });
    const p = await context.newPage();
    const complain = (words) => (complaints++, console.log(`${name}-${look}:`, words));
    p.on("console", (message) => ["error", "warning"].includes(message.type()) && complain(message.text()));
    p.on("pageerror", (error) => complain(error.message));
    await p.goto(`${url}#${name}`);
    await p.locator(".prl").first().waitFor();
    await p.waitForTimeout(700);
    await steps[name]?.(p);
    await p.waitForTimeout(300);
    for (const { id, nodes } of (await new AxeBuilder({ page: p }).include(".prl").analyze()).violations) {
      complain(`axe ${id}: ${nodes.map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`).join("; ")}`);
    }
    await p.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
    await context.close();
  }
}
await browser.close();
server.close();
process.exitCode = complaints ? 1 : 0;
