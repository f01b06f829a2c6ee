import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CometChat } from "./chat.js";
import { CometChatCalls } from "./calls.js";

const text: string = readFileSync(new URL("../../../docs/from-cometchat.md", import.meta.url), "utf8");

/** The names of a table of section 9, by whether it says that they are here. */
function table(title: string): { yes: string[]; no: string[] } {
  const section = text.split(`### ${title}\n`)[1]?.split("\n#")[0] ?? "";
  const names = (word: string) => section.split("\n").filter((line) => line.startsWith(`| ${word} `)).flatMap((line) => [...line.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
  return { yes: names("yes"), no: names("no") };
}

/** What apps can call or make with `new`. */
const callable = (api: object) => Object.getOwnPropertyNames(api).filter((name) => typeof (api as Record<string, unknown>)[name] === "function" && name !== "prototype");

describe("the tables of docs/from-cometchat.md", () => {
  it.each([["CometChat", CometChat], ["CometChatCalls", CometChatCalls]])("name all of %s, and nothing that is not there", (title, api) => {
    const { yes, no } = table(title);
    expect(yes.length).toBeGreaterThan(20);
    expect([...yes].sort()).toEqual(callable(api).sort());
    for (const name of no) expect(name in api, name).toBe(false);
  });

  it("name the callbacks that are raised", () => {
    const folder = new URL("./", import.meta.url);
    const files: string[] = readdirSync(folder).filter((name: string) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
    const source = files.map((name): string => readFileSync(new URL(name, folder), "utf8")).join("");
    const raised = new Set([...source.matchAll(/"(on[A-Z]\w+|log(?:in|out)(?:Success|Failure))"/g)].map((match) => match[1]!));
    const { yes, no } = table("Callbacks");
    expect([...yes].sort()).toEqual([...raised].sort());
    for (const name of no) expect(raised.has(name), name).toBe(false);
  });
});
