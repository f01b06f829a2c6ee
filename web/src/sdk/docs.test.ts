import { readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const doc = new URL("../../../docs/sdk.md", import.meta.url);
const here = new URL("./", import.meta.url).pathname;
/** What the examples find where they stand: a signed-in client and its session. */
const given = 'import type { Parley as Client, Session } from "./index.js";\ndeclare global { var client: Client; var session: Session; }\n';

/** The scripts of the page: each JavaScript block, and what is in the script element of its HTML. */
function examples(): string[] {
  const text = readFileSync(doc, "utf8");
  const html = [...text.matchAll(/```html\n([\s\S]*?)```/g)].flatMap(([, block]) => [...block!.matchAll(/<script type="module">([\s\S]*?)<\/script>/g)]);
  const js = [...text.matchAll(/```js\n([\s\S]*?)```/g)];
  return [...html, ...js].map((match) => `${match[1]!.replaceAll("https://YOUR-SERVER/sdk/parley.js", "./index.js")}\nexport {};\n`);
}

describe("the examples of docs/sdk.md", () => {
  it("use the SDK as it is", () => {
    const sources = new Map(examples().map((code, at) => [`${here}example${at}.js`, code]));
    sources.set(`${here}given.d.ts`, given);
    expect(sources.size).toBeGreaterThan(5);
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
      allowJs: true, checkJs: true, noEmit: true, skipLibCheck: true, types: [], strictNullChecks: true,
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => sources.has(name) || fileExists(name);
    host.readFile = (name) => sources.get(name) ?? readFile(name);
    host.getSourceFile = (name, ...rest) => (sources.has(name) ? ts.createSourceFile(name, sources.get(name)!, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest));
    const program = ts.createProgram([...sources.keys()], options, host);
    const found = [...sources.keys()].flatMap((name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name)));
    // Pages find their elements by id, and know better than TypeScript what kind these are.
    const words = found.map(({ file, start = 0, messageText }) => `${file?.text.slice(start, start + 60)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
    expect(words.filter((text) => !text.includes("'HTMLElement | null' is not assignable"))).toEqual([]);
  }, 60_000);
});
