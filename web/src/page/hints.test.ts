import { describe, expect, it } from "vitest";
import { connectHint } from "./hints.js";

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const answer = (...addresses: string[]) => addresses.map((address) => `a=candidate:1 1 udp 1 ${address} 7701 typ host\r\n`).join("");
const local = new URL("http://localhost:7700/");

describe("a call that does not connect", () => {
  it("in Firefox, with a server on loopback, is explained", () => {
    expect(connectHint(firefox, local, answer("127.0.0.1", "::1"))).toMatch(/Firefox does not use loopback.*http:\/\/localhost:7700/);
  });

  it("elsewhere may have many reasons", () => {
    for (const hint of [
      connectHint(chrome, local, answer("127.0.0.1")),
      connectHint(firefox, local, answer("127.0.0.1", "192.0.2.1")),
      connectHint(firefox, new URL("https://calls.example/"), answer("127.0.0.1")),
      connectHint(firefox, local, ""),
    ]) expect(hint).toMatch(/firewall/);
  });
});
