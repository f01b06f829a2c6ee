// The React hooks in a browser, under StrictMode, which mounts everything twice.
import assert from "node:assert/strict";
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { describe } from "node:test";
import { newContext } from "./harness/browser.mjs";
import { story } from "./harness/story.mjs";

describe("React hooks", () => {
  story("listen while they are mounted, miss nothing, and render what has changed", async () => {
    const entryPoints = [fileURLToPath(new URL("./harness/hooks-page.tsx", import.meta.url))];
    const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: "iife", jsx: "automatic", define: { "process.env.NODE_ENV": '"development"' } });
    const { context } = await newContext("http://127.0.0.1");
    const page = await context.newPage();
    await page.addScriptTag({ content: outputFiles[0].text });
    const { most, left } = await page.evaluate(() => hooks.listeners());
    assert.ok(most > 0 && most <= 14, `${most} listeners of one mounted component`);
    assert.equal(left, 0, "listeners after everything is gone");
    assert.equal(await page.evaluate(() => hooks.between()), "bob,carol,dave");
    // StrictMode renders each one twice.
    assert.deepEqual(await page.evaluate(() => hooks.renders()), { me: 0, bob: 2, carol: 0 });
    await context.close();
  });
});
