import { beforeEach, describe, expect, it } from "vitest";
import { DataLine, formatMessage, parseMessage } from "./data.js";
import { ParleyError } from "./errors.js";

it("writes a message to everybody without `to`", () => {
  expect(JSON.parse(formatMessage({ topic: "chat", payload: { hi: 1 } }))).toEqual({ topic: "chat", payload: { hi: 1 } });
  expect(JSON.parse(formatMessage({ topic: "chat", payload: 0, to: ["p_1"] }))).toEqual({ to: ["p_1"], topic: "chat", payload: 0 });
});

it.each(["", "no JSON", "null", "[]", '{"topic":"chat"}', '{"from":7,"topic":"chat"}'])("reads nothing from %j", (text) => {
  expect(parseMessage(text)).toBeNull();
});

it("reads who sent what", () => {
  expect(parseMessage('{"from":"p_1","topic":"chat","payload":[1]}')).toEqual({ participantId: "p_1", topic: "chat", payload: [1] });
});

class FakeChannel {
  readyState: RTCDataChannelState = "connecting";
  onopen: (() => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  sent: string[] = [];
  full = false;

  send(text: string): void {
    if (this.full) throw new Error("the buffer is full");
    this.sent.push(text);
  }

  opens(): void {
    this.readyState = "open";
    this.onopen?.();
  }

  closes(): void {
    this.readyState = "closed";
    this.onclose?.();
  }
}

class FakePeer {
  channels: FakeChannel[] = [];
  offers = 0;

  get channel(): FakeChannel {
    return this.channels.at(-1) as FakeChannel;
  }

  openChannel(): RTCDataChannel {
    if (!this.channel || this.channel.readyState === "closed") this.channels.push(new FakeChannel());
    return this.channel as unknown as RTCDataChannel;
  }
}

/** Lets promises that are settled have their say. */
const settle = () => new Promise((done) => setTimeout(done));

describe("a session's data line", () => {
  let peer: FakePeer;
  let line: DataLine<FakePeer>;
  let heard: string[];
  let offline: boolean;

  beforeEach(() => {
    heard = [];
    offline = false;
    line = new DataLine<FakePeer>({
      offer: async (peer) => {
        if (offline) throw new ParleyError("TIMEOUT", "no answer");
        peer.offers++;
      },
      message: (text) => heard.push(text),
    });
    line.moveTo((peer = new FakePeer()));
  });

  it("has no channel before it is used", () => {
    expect([peer.channels.length, peer.offers]).toEqual([0, 0]);
    line.signalingRestored();
    expect(peer.offers).toBe(0);
  });

  it("offers the channel for the first message, once, and sends what waited in its order", () => {
    for (const text of ["one", "two", "three"]) expect(line.send(text)).toBe(true);
    expect([peer.channels.length, peer.offers]).toEqual([1, 1]);
    peer.channel.opens();
    line.send("four");
    expect(peer.channel.sent).toEqual(["one", "two", "three", "four"]);
    expect(peer.offers).toBe(1);
  });

  it("opens when the server has something, and hears it", () => {
    line.open();
    line.open();
    expect(peer.offers).toBe(1);
    peer.channel.opens();
    peer.channel.onmessage?.({ data: "hello" });
    expect(heard).toEqual(["hello"]);
  });

  it("keeps 64 messages and says so when there are more; they go when the channel opens", () => {
    for (let i = 0; i < 64; i++) line.send(String(i));
    expect(() => line.send("64")).toThrow(expect.objectContaining({ code: "DATA_QUEUE_FULL" }));
    peer.channel.opens();
    expect(peer.channel.sent.length).toBe(64);
    expect(line.send("65")).toBe(true);
    expect(peer.channel.sent.at(-1)).toBe("65");
  });

  it("keeps 256 KiB, counted in bytes and not in characters", () => {
    const long = "ä".repeat(8 * 1024);
    for (let i = 0; i < 16; i++) line.send(long);
    expect(() => line.send("x")).toThrow(expect.objectContaining({ code: "DATA_QUEUE_FULL" }));
  });

  it("takes nothing over 16 KiB, and opens no channel for it", () => {
    expect(line.send("x".repeat(16 * 1024 + 1))).toBe(false);
    expect(peer.channels.length).toBe(0);
  });

  it("offers again when signaling is back, or for the next message", async () => {
    offline = true;
    line.send("one");
    await settle();
    line.send("two");
    await settle();
    expect(peer.offers).toBe(0);
    offline = false;
    line.signalingRestored();
    expect([peer.channels.length, peer.offers]).toEqual([1, 1]);
    peer.channel.opens();
    expect(peer.channel.sent).toEqual(["one", "two"]);
  });

  it("has the channel in the first offer of the next PeerConnection, for what waits", () => {
    line.send("one");
    const old = peer.channel;
    line.close();
    line.send("two");
    line.moveTo((peer = new FakePeer()));
    expect([peer.channels.length, peer.offers]).toEqual([1, 0]);
    old.opens();
    peer.channel.opens();
    expect([old.sent, peer.channel.sent]).toEqual([[], ["one", "two"]]);
  });

  it("opens another channel when its own was closed", () => {
    line.send("one");
    peer.channel.opens();
    peer.channel.closes();
    line.send("two");
    expect([peer.channels.length, peer.offers]).toEqual([2, 2]);
    peer.channel.opens();
    expect(peer.channel.sent).toEqual(["two"]);
  });

  it("goes on when the browser's buffer was full", () => {
    line.send("one");
    peer.channel.full = true;
    peer.channel.opens();
    line.send("two");
    expect(peer.channel.sent).toEqual([]);
    peer.channel.full = false;
    peer.channel.onbufferedamountlow?.();
    expect(peer.channel.sent).toEqual(["one", "two"]);
    expect(peer.offers).toBe(1);
  });
});
