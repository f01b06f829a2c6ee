// Makes web/package: what is published as @parleyrtc/web. `npm pack ./package` turns it into an archive. Every source file becomes
// one module with its declarations, so that bundlers take what an app uses, and the entry points share one copy of every class.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(fileURLToPath(import.meta.url));
const src = (...parts) => join(root, "src", ...parts);
const out = (...parts) => join(root, "package", ...parts);

/** Fails with what the compiler found, if it found anything. */
function complain(found) {
  if (found.length === 0) return;
  throw new Error(ts.formatDiagnostics(found, { getCanonicalFileName: (f) => f, getCurrentDirectory: () => root, getNewLine: () => "\n" }));
}

function compile() {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([src("sdk", "index.ts"), src("cometchat", "index.ts"), src("react", "index.ts")], {
    ...options,
    noEmit: false,
    declaration: true,
    // Sources inside the maps: debuggers show TypeScript, and the package needs no second copy of it.
    sourceMap: true,
    inlineSources: true,
    rootDir: src(),
    outDir: out(),
    newLine: ts.NewLineKind.LineFeed,
  });
  complain([...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics]);
}

/** An entry point: types first, because resolvers take the first condition that fits. */
const entry = (folder) => ({ types: `./${folder}/index.d.ts`, default: `./${folder}/index.js` });

const { name, version, description, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
const manifest = {
  name,
  version,
  description,
  license,
  keywords: ["webrtc", "calls", "video", "audio", "sfu", "react", "cometchat"],
  type: "module",
  // CometChat's apps expect its names on window, which importing that entry sets.
  sideEffects: ["./cometchat/index.js", "**/*.css"],
  main: "./sdk/index.js",
  types: "./sdk/index.d.ts",
  exports: {
    ".": entry("sdk"),
    "./cometchat": entry("cometchat"),
    "./react": entry("react"),
    // The declaration says that importing it gives nothing: TypeScript looks for one.
    "./react/style.css": { types: "./react/style.css.d.ts", default: "./react/style.css" },
    "./package.json": "./package.json",
  },
  peerDependencies: { react: ">=18" },
  peerDependenciesMeta: { react: { optional: true } },
};

await rm(out(), { recursive: true, force: true });
await mkdir(out("react"), { recursive: true });
compile();
await cp(src("react", "style.css"), out("react", "style.css"));
await writeFile(out("react", "style.css.d.ts"), "export {};\n");
await cp(join(root, "npm.md"), out("README.md"));
await cp(join(root, "..", "LICENSE"), out("LICENSE"));
await writeFile(out("package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
