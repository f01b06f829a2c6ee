// The published package: packed, installed into fresh apps, type-checked, built, and used for a call.
import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { after, before, describe } from "node:test";
import { build, preview } from "vite";
import { newContext } from "./harness/browser.mjs";
import { moving, receives } from "./harness/media.mjs";
import { fresh } from "./harness/person.mjs";
import { freePort, startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";
import { until } from "./harness/until.mjs";

const web = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

/** Packs web/package as npm would publish it; gives the archive's path. */
async function pack(dir) {
  await run(process.execPath, ["package.mjs"], { cwd: web });
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", dir], { cwd: join(web, "package") });
  return join(dir, stdout.trim().split("\n").at(-1));
}

/** A fresh project with the archive installed by npm, and what a template would install beside it taken from our own lock file. */
async function project(dir, archive, packages, files) {
  await mkdir(dir, { recursive: true });
  const write = async (path, text) => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };
  await write("package.json", JSON.stringify({ name: "fresh", private: true, type: "module", dependencies: { "@parleyrtc/web": `file:${archive}` } }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: dir });
  for (const name of packages) {
    await mkdir(dirname(join(dir, "node_modules", name)), { recursive: true });
    await symlink(join(web, "node_modules", name), join(dir, "node_modules", name));
  }
  await Promise.all(Object.entries(files).map(([path, text]) => write(path, text)));
}

/** What `tsc --noEmit` complains of in a project. */
async function check(dir) {
  const { stdout } = await run(process.execPath, [join(web, "node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", dir]).catch((failed) => failed);
  return stdout;
}

/** The files that docs/react.md shows, by the path in their first line. */
async function documented() {
  const text = await readFile(join(web, "..", "docs", "react.md"), "utf8");
  const found = [...text.matchAll(/```tsx?\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, path, code]) => [path, code]);
  assert.deepEqual(found.map(([path]) => path), ["src/token.ts", "src/main.tsx", "src/App.tsx"]);
  return Object.fromEntries(found);
}

/** Fails with what axe finds on a page. */
async function accessible(page) {
  const { violations } = await new AxeBuilder({ page }).include(".prl").analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target.join(" "))]), []);
}

const strict = { strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true, skipLibCheck: false, noEmit: true, types: [] };
const plain = `
import { Parley, ParleyError, type Session } from "@parleyrtc/web";
import { CometChat, CometChatCalls } from "@parleyrtc/web/cometchat";

const client = new Parley({ url: "https://calls.example.org", token: async (reason) => \`token \${reason}\` });
client.calls.on("incoming", ({ call }) => void client.calls.accept(call.sessionId));
export const join = (id: string): Promise<Session> => client.join(id, { video: false });
export const isBusy = (error: unknown): boolean => error instanceof ParleyError && error.code === "ERR_CALL_BUSY_SELF";
export const ring = (): Promise<CometChat.Call> => CometChat.initiateCall(new CometChat.Call("bob", CometChat.CALL_TYPE.VIDEO, CometChat.RECEIVER_TYPE.USER));
export const leave = (): Promise<void> => CometChatCalls.leaveSession();
// @ts-expect-error: the types are real, so a wrong one is noticed
client.calls.initiate({ receiverId: 7 });
`;

describe("the published package", () => {
  let dir, archive;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "parley-package-"));
    archive = await pack(dir);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  story("holds its entries and what they need, and nothing of ours", async () => {
    const app = join(dir, "contents");
    await project(app, archive, [], {});
    const root = join(app, "node_modules", "@parleyrtc", "web");
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const { version } = JSON.parse(await readFile(join(web, "package.json"), "utf8"));
    assert.deepEqual([manifest.name, manifest.version, manifest.private, manifest.dependencies], ["@parleyrtc/web", version, undefined, undefined]);
    assert.match(await readFile(join(root, "sdk", "client.js"), "utf8"), new RegExp(`VERSION = "${version}"`), "the SDK names the version that it is");
    const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
    assert.deepEqual(files.filter((name) => !/(\.d\.ts|\.js|\.js\.map|\.css|^package\.json|^README\.md|^LICENSE)$/.test(name)), []);
    assert.deepEqual(files.filter((name) => /test/.test(name) && !/connection-test/.test(name)), []);
    const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)));
    await Promise.all(targets.map((target) => readFile(join(root, target))));
  });

  story("type-checks in a plain TypeScript app, as bundlers and as Node resolve it", async () => {
    for (const resolution of [{ module: "ESNext", moduleResolution: "Bundler" }, { module: "NodeNext", moduleResolution: "NodeNext" }]) {
      const app = join(dir, `plain-${resolution.module}`);
      const compilerOptions = { target: "ES2022", lib: ["ES2022", "DOM", "DOM.Iterable"], ...strict, ...resolution };
      await project(app, archive, [], { "index.ts": plain, "tsconfig.json": JSON.stringify({ compilerOptions, include: ["index.ts"] }) });
      assert.equal(await check(app), "", resolution.moduleResolution);
    }
  });

  describe("in the React app of docs/react.md", () => {
    let app, server, pages;
    before(async () => {
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      server = await startServer({ "http.allowed_origins": `[${origin}]` });
      app = join(dir, "app");
      const compilerOptions = { target: "ES2022", lib: ["ES2022", "DOM", "DOM.Iterable"], module: "ESNext", moduleResolution: "Bundler", jsx: "react-jsx", ...strict, types: ["vite/client"] };
      const packages = ["react", "react-dom", "vite", "csstype", "@types/react", "@types/react-dom", "@types/estree"];
      await project(app, archive, packages, {
        ...(await documented()),
        "index.html": '<!doctype html><html lang="en"><title>Calls</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/src/main.tsx"></script></html>',
        "tsconfig.json": JSON.stringify({ compilerOptions, include: ["src"] }),
        ".env": `VITE_PARLEY_URL=${server.url}\n`,
      });
      await build({ root: app, logLevel: "error" });
      pages = { server: await preview({ root: app, logLevel: "warn", preview: { port, strictPort: true, host: "127.0.0.1" } }), origin };
    });
    after(async () => {
      await pages?.server.close();
      await server?.stop();
    });

    const open = async (name) => {
      const { context, problems } = await newContext(pages.origin);
      const page = await context.newPage();
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      const uid = fresh(name);
      await page.goto(`${pages.origin}/?as=${uid}`);
      await page.getByRole("heading", { name: `You are ${uid}` }).waitFor();
      return { page, uid, problems, close: () => context.close() };
    };

    story("its types are right", async () => assert.equal(await check(app), ""));

    story("two people ring, look at themselves, talk and hang up", async () => {
      const [alice, bob] = await Promise.all([open("alice"), open("bob")]);
      await alice.page.getByLabel("Call").fill(bob.uid);
      await alice.page.getByRole("button", { name: "Call" }).click();
      await alice.page.locator('.prl-call[data-phase="calling"]').waitFor();
      await bob.page.getByRole("alertdialog", { name: alice.uid }).waitFor();
      await accessible(bob.page);
      await bob.page.getByRole("button", { name: "Accept" }).click();

      await bob.page.getByRole("region", { name: `${alice.uid} is calling` }).waitFor();
      await moving(bob.page, ".prl-preview video");
      const level = bob.page.getByRole("meter", { name: "Microphone level" });
      await until(async () => Number(await level.getAttribute("aria-valuenow")) > 5, "the microphone's level is seen");
      await accessible(bob.page);
      await bob.page.getByRole("button", { name: "Answer" }).click();

      for (const [one, other] of [[alice, bob], [bob, alice]]) {
        await one.page.locator('.prl-call[data-phase="talking"]').waitFor();
        await receives(one.page, { video: 1, audio: 1 });
        await moving(one.page, `.prl-tile[data-user="${other.uid}"] video`);
      }
      await accessible(alice.page);
      await alice.page.getByRole("button", { name: "Mute microphone" }).click();
      await bob.page.getByRole("listitem", { name: new RegExp(`^${alice.uid}, muted`) }).waitFor();
      await alice.page.getByRole("button", { name: "End the call" }).click();
      await bob.page.getByText("Call ended").waitFor();
      for (const one of [alice, bob]) {
        await one.page.locator(".prl-call").waitFor({ state: "detached" });
        assert.equal(await one.page.evaluate(() => window.e2e.connections.size), 0, "no PeerConnection is left");
        assert.deepEqual(one.problems, []);
        await one.close();
      }
    });

    story("a caller who gives up takes the question away, and a refusal is said", async () => {
      const [alice, bob] = await Promise.all([open("alice"), open("bob")]);
      const call = async () => {
        await alice.page.getByLabel("Call").fill(bob.uid);
        await alice.page.getByRole("button", { name: "Call" }).click();
        await bob.page.getByRole("alertdialog", { name: alice.uid }).waitFor();
      };
      await call();
      await bob.page.getByRole("button", { name: "Accept" }).click();
      await bob.page.locator(".prl-prejoin").waitFor();
      await alice.page.getByRole("button", { name: "End the call" }).click();
      await bob.page.locator(".prl-prejoin").waitFor({ state: "detached" });
      await call();
      await bob.page.keyboard.press("Escape");
      await alice.page.getByText(`${bob.uid} declined`).waitFor();
      await bob.page.getByRole("alertdialog").waitFor({ state: "detached" });
      await Promise.all([alice.close(), bob.close()]);
    });
  });
});
