import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeServer, FakeSocket, bob } from "../testing/fakeserver.js";
import { Connection } from "./connection.js";
import { MemoryStorage } from "./device.js";
import { TokenSource } from "./token.js";

let server: FakeServer;
let connection: Connection;

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer(bob);
  connection = new Connection({
    address: "ws://host/v1/ws", tokens: new TokenSource("t"), device: new MemoryStorage(), client: { name: "test", version: "1" },
    requestTimeoutMs: 20_000, openSocket: () => server.open(),
  });
  connection.open();
  await vi.advanceTimersByTimeAsync(5);
  server.hello = { resumed: true, snapshot: undefined };
});

afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

describe("a probe", () => {
  /** The state of each socket that was ever opened. */
  const closed = () => server.sockets.map(({ closedByClient }) => closedByClient);

  it("leaves a socket alone that answers, and closes the one that it opened beside it", async () => {
    connection.probe();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(closed()).toEqual([false, true]);
    expect(server.sent("hello")).toHaveLength(1);
    expect(connection.state).toBe("connected");
  });

  it("closes one that is not needed when it has opened, and not before", async () => {
    const late = new FakeSocket(() => {});
    server.open = () => late;
    connection.probe();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(late.closedByClient).toBe(false);
    late.opened();
    expect(late.closedByClient).toBe(true);
    expect(connection.state).toBe("connected");
  });

  it("goes over to a socket that opens before a dead one answers, and what waited for an answer goes there", async () => {
    server.silent.add("ping").add("session.offer");
    const answered = connection.request("session.offer", { sdp: "v=0" });
    answered.catch(() => {});
    connection.probe();
    connection.probe(); // once is enough
    expect(server.sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(290);
    expect(server.sent("hello"), "three round trips of 100 ms, the first guess").toHaveLength(1);
    server.silent.clear();
    await vi.advanceTimersByTimeAsync(20);
    expect(connection.state).toBe("connected");
    await expect(answered).resolves.toEqual({});
    expect(server.sent("session.offer").map(({ socket }) => server.sockets.indexOf(socket as never))).toEqual([0, 1]);
    expect(closed()).toEqual([true, false]);
  });

  it("keeps a slow socket as long as there is no other", async () => {
    server.silent.add("ping");
    server.open = () => new FakeSocket(() => {});
    connection.probe();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(connection.state).toBe("connected");
    server.event("call.member", {});
    await vi.advanceTimersByTimeAsync(2_000);
    expect(connection.state).toBe("connected");
  });

  it("gives up a socket that says nothing for long", async () => {
    server.silent.add("ping");
    server.open = () => new FakeSocket(() => {});
    connection.probe();
    await vi.advanceTimersByTimeAsync(2_600);
    expect(connection.state).toBe("reconnecting");
  });

  it("takes anything that is heard for a sign of life", async () => {
    server.silent.add("ping");
    connection.probe();
    await vi.advanceTimersByTimeAsync(100);
    server.sockets[0]!.deliver({ jsonrpc: "2.0", method: "event", params: { seq: 1, type: "call.member", at: 0, data: {} } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(closed()).toEqual([false, true]);
  });

  it("ends a pause between two attempts", async () => {
    server.silent.add("hello");
    server.socket.cut();
    await vi.advanceTimersByTimeAsync(60_000);
    const before = server.sockets.length;
    server.silent.clear();
    connection.probe();
    await vi.advanceTimersByTimeAsync(10_001); // at worst an attempt is under way, and ends by itself
    connection.probe();
    await vi.advanceTimersByTimeAsync(10);
    expect(connection.state).toBe("connected");
    expect(server.sockets.length).toBeGreaterThan(before);
  });
});

describe("a new socket", () => {
  it("is given up soon when nobody welcomes it, and later ones are given longer", async () => {
    server.silent.add("hello");
    server.socket.cut();
    const opened: number[] = [];
    let seen = server.sockets.length;
    for (let now = 0; now < 40_000; now += 100) {
      await vi.advanceTimersByTimeAsync(100);
      if (server.sockets.length > seen) opened.push(now);
      seen = server.sockets.length;
    }
    const waits = opened.slice(1).map((at, i) => at - opened[i]!);
    expect(waits[0]).toBeLessThan(7_000);
    expect(waits.at(-1)).toBeGreaterThan(10_000);
  });
});
