import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, it } from "vitest";
import { MemoryStorage, Parley } from "../sdk/index.js";
import { CallNotice, CallView, IncomingCall, ParleyProvider, PreJoin, useParley } from "./index.js";
import { same } from "./reading.js";

it("renders on a server, where there is no browser to ask", () => {
  const client = new Parley({ url: "http://host", token: "t", deviceStorage: new MemoryStorage() });
  const components = [CallView, IncomingCall, CallNotice, () => createElement(PreJoin, { onJoin: () => {} })];
  const html = renderToString(createElement(ParleyProvider, { client }, ...components.map((component, key) => createElement(component, { key }))));
  expect(html).toContain("Ready to join?");
  expect(client.state, "rendering connects nothing").toBe("idle");
});

it("says what is missing when there is no provider", () => {
  const Lost = () => String(useParley().state);
  expect(() => renderToString(createElement(Lost))).toThrow(/ParleyProvider/);
});

it("calls readings the same when every entry is, and no others", () => {
  const stream = {};
  expect(same({ a: 1, stream }, { a: 1, stream })).toBe(true);
  expect(same([1, 2], [1, 2])).toBe(true);
  for (const [a, b] of [[{ a: 1 }, { a: 2 }], [{ a: undefined }, { b: undefined }], [[1], [1, 2]], [{}, []], [{ s: {} }, { s: {} }], [null, {}], [new Map(), new Map()]]) {
    expect(same(a, b)).toBe(false);
  }
});
