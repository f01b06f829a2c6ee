// Builds web/dist from web/src. The output depends on the sources and the pinned tools only, so that CI can build again
// and compare: no dates, no absolute paths, no content hashes.
import { build } from "esbuild";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const src = (...parts) => join(root, "src", ...parts);

const shared = {
  absWorkingDir: root,
  bundle: true,
  target: ["chrome100", "firefox115", "safari15.4"],
  charset: "utf8",
  legalComments: "none",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
};

/** Bundles one entry into one file of dist. */
async function bundle(entry, outfile, options) {
  await build({ ...shared, entryPoints: [entry], outfile: join(dist, outfile), ...options });
}

/** Writes the declaration files of the two public modules, one small file per source file. */
function declarations() {
  const entries = [src("sdk", "index.ts"), src("cometchat", "index.ts")].filter(existsSync);
  const read = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, root);
  const program = ts.createProgram(entries, {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: src(),
    outDir: join(dist, "sdk", "types"),
    newLine: ts.NewLineKind.LineFeed,
  });
  const found = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (found.length > 0) {
    throw new Error(
      ts.formatDiagnostics(found, { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => "\n" }),
    );
  }
}

async function page() {
  if (!existsSync(src("page", "main.ts"))) return;
  await bundle(src("page", "main.ts"), "page.js", { format: "esm", minifyIdentifiers: true });
  await bundle(src("page", "sw.ts"), "sw.js", { format: "iife", minifyIdentifiers: true });
  await bundle(src("page", "style.css"), "page.css", {});
  await cp(src("page", "index.html"), join(dist, "index.html"));
  if (existsSync(src("page", "assets"))) await cp(src("page", "assets"), join(dist, "assets"), { recursive: true });
}

async function sdk() {
  await bundle(src("sdk", "index.ts"), "sdk/parley.js", { format: "esm" });
  await bundle(src("sdk", "index.ts"), "sdk/parley.global.js", { format: "iife", globalName: "ParleySDK", minifyIdentifiers: true });
  const chat = src("cometchat", "index.ts");
  if (existsSync(chat)) {
    await bundle(chat, "sdk/cometchat.mjs", { format: "esm" });
    await bundle(chat, "sdk/cometchat.js", { format: "iife", define: { "import.meta.url": "undefined" } });
    await writeFile(join(dist, "sdk", "cometchat.d.ts"), 'export * from "./types/cometchat/index.js";\n');
  }
  await writeFile(join(dist, "sdk", "parley.d.ts"), 'export * from "./types/sdk/index.js";\n');
}

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, "sdk"), { recursive: true });
await sdk();
declarations();
await page();
const built = await readdir(dist, { recursive: true });
if (process.argv.includes("--list")) console.log(built.sort().join("\n"));
