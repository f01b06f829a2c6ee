import type { Call, SocketLike, User } from "../sdk/index.js";

/** A request that the fake server got. */
export interface Received {
  socket: FakeSocket;
  id: unknown;
  method: string;
  params: Record<string, unknown>;
}

/** The client's end of a fake socket. */
export class FakeSocket implements SocketLike {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  closedByClient = false;
  readonly #heard: (text: string) => void;

  constructor(heard: (socket: FakeSocket, text: string) => void) {
    this.#heard = (text) => heard(this, text);
  }

  send(data: string): void {
    this.#heard(data);
  }

  close(): void {
    this.closedByClient = true;
  }

  /** The network lets the socket open. */
  opened(): void {
    this.readyState = 1;
    this.onopen?.(undefined as never);
  }

  deliver(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The server, or the network, closes. */
  cut(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }
}

/** The server's side of the protocol, as far as signaling goes: answers what a test tells it to. */
export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  readonly received: Received[] = [];
  /** Answers of hello; changed by tests. */
  hello: Record<string, unknown> = {};
  answers: Record<string, (params: Record<string, unknown>) => unknown> = {};
  /** Methods that get no answer for now. */
  silent = new Set<string>();
  #seq = 0;

  constructor(readonly user: User) {}

  /** Opens a socket; tests may put a network in its place that opens none. */
  open = (): SocketLike => {
    const socket = new FakeSocket((from, text) => this.#hear(from, text));
    this.sockets.push(socket);
    queueMicrotask(() => socket.opened());
    return socket;
  };

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("nobody has connected");
    return socket;
  }

  /** Sends the next numbered event. */
  event(type: string, data: unknown, seq = ++this.#seq): void {
    this.#seq = Math.max(this.#seq, seq);
    this.socket.deliver({ jsonrpc: "2.0", method: "event", params: { seq, type, at: 1_790_000_000_000 + seq, data } });
  }

  sent(method: string): Received[] {
    return this.received.filter((r) => r.method === method);
  }

  #hear(socket: FakeSocket, text: string): void {
    const { id, method, params } = JSON.parse(text) as Received;
    this.received.push({ socket, id, method, params });
    if (this.silent.has(method)) return;
    if (method === "hello") return queueMicrotask(() => this.#welcome(socket));
    queueMicrotask(() => {
      try {
        const answer = this.answers[method];
        socket.deliver({ jsonrpc: "2.0", id, result: answer ? answer(params) : {} });
      } catch (error) {
        socket.deliver({ jsonrpc: "2.0", id, error });
      }
    });
  }

  #welcome(socket: FakeSocket): void {
    const result = {
      protocol: "1.0",
      connectionId: "c_1",
      deviceId: "d_1",
      user: this.user,
      resumed: false,
      lastSeq: 0,
      serverTime: 1_790_000_000_000,
      tokenExpiresAt: 1_790_003_600_000,
      limits: { messageBytes: 65536, offerBytes: 524288, resumeSeconds: 60 },
      snapshot: { calls: [] },
      ...this.hello,
    };
    if (result.resumed === false) this.#seq = result.lastSeq;
    socket.deliver({ jsonrpc: "2.0", id: "hello", result });
  }
}

/** A refusal of the server. */
export function refusal(code: string, details: object = {}): object {
  return { code: -32001, message: code, data: { code, field: "", details } };
}

export const alice: User = { uid: "alice", name: "Alice", avatar: "" };
export const bob: User = { uid: "bob", name: "Bob", avatar: "" };

/** A call from alice to bob. */
export function callOf(change: Partial<Call> = {}): Call {
  return {
    sessionId: "s1",
    type: "video",
    receiverType: "user",
    status: "initiated",
    reason: "",
    initiator: alice,
    receiver: bob,
    initiatedAt: 1_790_000_000_000,
    ringDeadline: 1_790_000_045_000,
    members: [
      { user: alice, state: "calling" },
      { user: bob, state: "ringing" },
    ],
    metadata: {},
    ...change,
  };
}
