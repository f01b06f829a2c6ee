import { expect, it } from "vitest";
import { socketAddress } from "./address.js";

it.each([
  [undefined, { protocol: "https:", host: "call.example" }, "wss://call.example/v1/ws"],
  [undefined, { protocol: "http:", host: "127.0.0.1:7700" }, "ws://127.0.0.1:7700/v1/ws"],
  ["http://127.0.0.1:7700", undefined, "ws://127.0.0.1:7700/v1/ws"],
  ["https://call.example/", undefined, "wss://call.example/v1/ws"],
  ["call.example", undefined, "wss://call.example/v1/ws"],
  ["wss://call.example/elsewhere", undefined, "wss://call.example/elsewhere"],
])("%s on %o is %s", (url, page, expected) => {
  expect(socketAddress(url, page)).toBe(expected);
});
