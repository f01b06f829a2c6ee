import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeServer, alice, bob, callOf, refusal } from "../testing/fakeserver.js";
import { Parley } from "./client.js";
import { MemoryStorage } from "./device.js";
import type { CallEvents, ParleyOptions } from "./types.js";

let server: FakeServer;
let client: Parley;
let heard: string[];

function make(options: Partial<ParleyOptions> = {}): Parley {
  const made = new Parley({ url: "http://host", token: "t", deviceStorage: new MemoryStorage(), openSocket: server.open, ...options });
  const names: (keyof CallEvents)[] = ["incoming", "accepted", "answeredElsewhere", "cancelled", "unanswered", "missed", "ended", "rejected"];
  for (const name of names) made.calls.on(name, () => heard.push(name));
  return made;
}

/** Lets the fake network and everything that waits for it come to rest. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  server = new FakeServer(bob);
  client = make();
});

afterEach(() => {
  client.disconnect();
  vi.useRealTimers();
});

describe("connecting", () => {
  it("says hello with its token and resolves with the user", async () => {
    await expect(client.connect()).resolves.toEqual(bob);
    expect(server.sent("hello")[0]?.params).toEqual({ token: "t", protocol: "1.0", client: { name: "parley-js", version: "1.0.0" } });
    expect([client.state, client.deviceId]).toEqual(["connected", "d_1"]);
  });

  it("resumes where it was after a cut, and hears a replayed event once", async () => {
    await client.connect();
    server.event("call.incoming", { call: callOf(), by: alice });
    server.hello = { resumed: true, lastSeq: 2, snapshot: undefined };
    server.socket.cut();
    expect(client.state).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.sent("hello")[1]?.params).toMatchObject({ deviceId: "d_1", resume: { connectionId: "c_1", lastSeq: 1 } });
    server.event("call.incoming", { call: callOf(), by: alice }, 1);
    server.event("call.cancelled", { call: callOf({ status: "cancelled" }), by: alice }, 2);
    expect(heard).toEqual(["incoming", "cancelled"]);
  });

  it("does not ring on for a call that ended while it was away", async () => {
    await client.connect();
    server.event("call.incoming", { call: callOf(), by: alice });
    server.hello = { connectionId: "c_2", snapshot: { calls: [callOf({ status: "unanswered", endedAt: 1_790_000_045_000 })] } };
    server.socket.cut();
    await vi.advanceTimersByTimeAsync(1000);
    expect(heard).toEqual(["incoming", "unanswered", "missed"]);
  });

  it("rings for a call that it finds ringing", async () => {
    server.hello = { snapshot: { calls: [callOf()] } };
    await client.connect();
    expect(heard).toEqual(["incoming"]);
  });

  it("keeps trying with growing delays, and stops when told", async () => {
    await client.connect();
    const delays: number[] = [];
    client.on("reconnecting", ({ delayMs }) => delays.push(delayMs));
    server.silent.add("hello");
    for (let i = 0; i < 4; i++) {
      server.socket.cut();
      await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
    }
    expect(delays).toHaveLength(4);
    expect(delays[3]!).toBeGreaterThan(delays[0]!);
    client.disconnect();
    const before = server.sockets.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sockets).toHaveLength(before);
  });

  it.each([
    [4410, "replaced", "replaced"],
    [4426, "unsupported_protocol", "unsupported_protocol"],
    [4401, "unauthorized", "unauthorized"],
  ])("gives up on close %i", async (code, why, reason) => {
    await client.connect();
    const info = client.next("disconnected");
    server.socket.cut(code, why);
    await expect(info).resolves.toEqual({ reason, code });
    expect(client.state).toBe("disconnected");
  });

  it("rejects connect when the first hello is refused", async () => {
    server.silent.add("hello");
    const connecting = client.connect();
    const refused = expect(connecting).rejects.toMatchObject({ code: "DISCONNECTED", details: { reason: "unauthorized" } });
    await settle();
    server.socket.cut(4401, "unauthorized");
    await refused;
  });

  it("drops a socket that has gone silent", async () => {
    await client.connect();
    server.silent.add("ping");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(server.sent("ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.state).not.toBe("connected");
  });

  it("tells the server with each ping which events it has", async () => {
    await client.connect();
    server.event("call.incoming", { call: callOf(), by: alice });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(server.sent("ping")[0]?.params).toEqual({ lastSeq: 1 });
  });
});

describe("requests", () => {
  it("sends an unanswered mutation again after a reconnect with the same mutation id", async () => {
    await client.connect();
    server.silent.add("call.accept");
    const accepting = client.calls.accept("s1");
    server.silent.delete("call.accept");
    server.answers["call.accept"] = () => ({ call: callOf({ status: "ongoing" }) });
    server.hello = { resumed: true, snapshot: undefined };
    server.socket.cut();
    await vi.advanceTimersByTimeAsync(1000);
    await expect(accepting).resolves.toMatchObject({ status: "ongoing" });
    const [first, second] = server.sent("call.accept");
    expect(second?.params).toEqual(first?.params);
    expect(first?.params["mutationId"]).toMatch(/^m_[0-9a-f]{24}$/);
  });

  it("gives up on a request after its time, reconnecting or not", async () => {
    await client.connect();
    server.silent.add("call.get").add("hello");
    const failed = expect(client.calls.get("s1")).rejects.toMatchObject({ code: "TIMEOUT" });
    server.socket.cut();
    await vi.advanceTimersByTimeAsync(20_000);
    await failed;
  });

  it("refuses requests while it is not connected", async () => {
    await expect(client.calls.active()).rejects.toMatchObject({ code: "NOT_CONNECTED" });
  });

  it("keeps what is too long to itself, for the server would close the socket", async () => {
    await client.connect();
    const options = { receiverId: "alice", receiverType: "user", type: "audio", metadata: "x".repeat(70_000) } as const;
    await expect(client.calls.initiate(options)).rejects.toMatchObject({ code: "ERR_BAD_REQUEST" });
    expect(server.sent("call.initiate")).toEqual([]);
  });

  it("carries the server's refusal", async () => {
    await client.connect();
    server.answers["call.initiate"] = () => {
      throw refusal("ERR_CALL_BUSY_SELF", { sessionId: "s9" });
    };
    const options = { receiverId: "alice", receiverType: "user", type: "audio" } as const;
    await expect(client.calls.initiate(options)).rejects.toMatchObject({ code: "ERR_CALL_BUSY_SELF", details: { sessionId: "s9" } });
  });
});

describe("tokens", () => {
  it("asks the app for a new one before the old one runs out", async () => {
    const token = vi.fn((reason: string) => `t-${reason}`);
    client = make({ token });
    await client.connect();
    server.event("token.expiring", { expiresAt: 1 });
    await settle();
    expect(server.sent("token.renew")[0]?.params).toEqual({ token: "t-expiring" });
    expect(token.mock.calls.map(([reason]) => reason)).toEqual(["connect", "expiring"]);
  });

  it("renews and repeats a mutation that was refused for an old token", async () => {
    client = make({ token: async (reason) => `t-${reason}` });
    await client.connect();
    let tries = 0;
    server.answers["call.end"] = () => {
      if (tries++ === 0) throw refusal("ERR_TOKEN_EXPIRED");
      return { call: callOf({ status: "ended" }) };
    };
    await expect(client.calls.end("s1")).resolves.toMatchObject({ status: "ended" });
    expect(server.sent("token.renew")[0]?.params).toEqual({ token: "t-refused" });
  });

  it("tries a fresh token once when a reconnect is refused", async () => {
    client = make({ token: async (reason) => `t-${reason}` });
    await client.connect();
    server.silent.add("hello");
    server.socket.cut(4401, "unauthorized");
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.sent("hello")[1]?.params["token"]).toBe("t-refused");
    server.socket.cut(4401, "unauthorized");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(client.state).toBe("disconnected");
  });

  it("tells an app with a fixed token that it runs out", async () => {
    await client.connect();
    const told = client.next("tokenExpiring");
    server.event("token.expiring", { expiresAt: 7 });
    await expect(told).resolves.toEqual({ expiresAt: 7 });
    await client.renewToken("t2");
    expect(server.sent("token.renew")[0]?.params).toEqual({ token: "t2" });
  });
});

describe("events", () => {
  it("ignores what a newer server adds", async () => {
    await client.connect();
    server.event("call.transferred", { call: callOf() });
    server.event("weather.changed", {});
    expect(heard).toEqual([]);
  });

  it("goes on when a listener throws", async () => {
    const uncaught = vi.fn();
    const { process } = globalThis as unknown as { process: { once(event: string, listener: () => void): void } };
    process.once("uncaughtException", uncaught);
    await client.connect();
    let told = false;
    client.calls.on("incoming", () => {
      throw new Error("the app's fault");
    });
    client.calls.on("incoming", () => (told = true));
    server.event("call.incoming", { call: callOf(), by: alice });
    expect(told).toBe(true);
    await settle();
    expect(uncaught).toHaveBeenCalledOnce();
  });
});
