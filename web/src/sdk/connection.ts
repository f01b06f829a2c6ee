import { Cursor } from "./cursor.js";
import { Emitter } from "./emitter.js";
import { ParleyError } from "./errors.js";
import { backoff, verdict } from "./reconnect.js";
import { Requests, type Reply } from "./requests.js";
import { Spare } from "./spare.js";
import { TokenSource } from "./token.js";
import type { Call, ConnectionState, DeviceStorage, DisconnectInfo, ParleyEvents, SocketLike, User } from "./types.js";

/** The protocol version of docs/protocol.md that this client speaks. */
export const PROTOCOL = "1.0";
/** How long a new socket is given to be welcomed, by attempt: one that was opened while the network changed never will be. */
const HELLO_TIMEOUTS_MS = [2_500, 5_000, 10_000];
/** How long the answer to a probe may take once another socket is open: this many round trips, between the two limits. */
const PROBE_ROUND_TRIPS = 3;
const PROBE_MS = { least: 100, most: 2_000 };
/** How long it may take while no other socket opens either. */
const SPARE_MS = 2_500;
/** WebSocket.OPEN. */
const OPEN = 1;
const PING_EVERY_MS = 20_000;
const SILENCE_MS = 35_000;

/** The answer to a hello. */
export interface Welcome {
  connectionId: string;
  deviceId: string;
  user: User;
  resumed: boolean;
  lastSeq: number;
  serverTime: number;
  snapshot?: { calls: Call[] };
}

/** A numbered event of the server. */
export interface ServerEvent {
  type: string;
  at: number;
  data: unknown;
}

interface ConnectionEvents
  extends Pick<ParleyEvents, "stateChanged" | "connecting" | "reconnecting" | "disconnected" | "tokenExpiring"> {
  welcome: Welcome;
  event: ServerEvent;
}

interface ConnectionConfig {
  address: string;
  tokens: TokenSource;
  device: DeviceStorage;
  client: { name: string; version: string };
  requestTimeoutMs: number;
  openSocket: (url: string) => SocketLike;
}

/**
 * The signaling socket and all that happens to it: hello, resume, reconnecting, keep-alive, requests. It owns the socket and
 * its timers; what to resume, which event is news and when to try again is decided by Cursor, Requests and reconnect.
 */
export class Connection extends Emitter<ConnectionEvents> {
  #config: ConnectionConfig;
  #cursor = new Cursor();
  #requests = new Requests();
  #state: ConnectionState = "idle";
  #socket: SocketLike | null = null;
  #attempt = 0;
  #tokenRefused = false;
  #lastHeard = 0;
  #roundTripMs = 100;
  /** Opens while the socket in use is probed. */
  #spare: Spare | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #helloTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #expiryTimer: ReturnType<typeof setTimeout> | undefined;
  #wake = () => this.#retryNow(true);

  constructor(config: ConnectionConfig) {
    super();
    this.#config = config;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Starts connecting, and goes on until `close` or a final refusal. */
  open(): void {
    if (this.#state !== "idle" && this.#state !== "disconnected") return;
    this.#attempt = 0;
    this.#tokenRefused = false;
    this.#setState("connecting");
    globalThis.addEventListener?.("online", this.#wake);
    void this.#dial();
  }

  /** Ends the connection and forgets it: the next `open` starts anew. */
  close(): void {
    if (this.#state === "idle" || this.#state === "disconnected") return;
    this.#giveUp({ reason: "requested", code: 1000 });
  }

  /** Sends a request and resolves with its result. Durable ones survive a reconnect; see Requests. */
  request<T>(method: string, params: object, options: { durable?: boolean; timeoutMs?: number } = {}): Promise<T> {
    if (this.#state === "idle" || this.#state === "disconnected") {
      return Promise.reject(new ParleyError("NOT_CONNECTED", "The client is not connected."));
    }
    // The server would close the socket over it, and get it again on the next one.
    if (tooLong(method, params)) return Promise.reject(new ParleyError("ERR_BAD_REQUEST", "The request is too long."));
    const deadline = Date.now() + (options.timeoutMs ?? this.#config.requestTimeoutMs);
    return new Promise<T>((resolve, reject) => {
      const done = { resolve: resolve as (result: unknown) => void, reject };
      const { id, frame } = this.#requests.add(method, params, { durable: options.durable ?? true, deadline }, done);
      if (this.#state === "connected" && this.#write(frame)) this.#requests.sent(id);
      this.#armExpiry();
    });
  }

  /** Finds out soon whether the socket still lives, and goes over to another at once if not. What waits for an answer goes there. */
  probe(): void {
    const socket = this.#socket;
    if (!socket) return this.#retryNow();
    if (this.#state !== "connected" || this.#spare) return;
    const asked = Date.now();
    const answered = this.#askAlive(SPARE_MS);
    const leastMs = Math.min(PROBE_MS.most, Math.max(PROBE_MS.least, PROBE_ROUND_TRIPS * this.#roundTripMs));
    const spare = new Spare(this.#config.openSocket(this.#config.address), leastMs, SPARE_MS, (state) => {
      if (this.#lastHeard > asked) return this.#dismiss(spare);
      this.#spare = null;
      if (state !== "open") spare.close();
      this.#drop(socket, 0, "silent", state === "open" ? spare.take() : undefined);
    });
    this.#spare = spare;
    answered.then(() => this.#dismiss(spare), () => {});
  }

  /** Puts a new token on the open connection, and keeps it for the next hello. */
  async renewToken(token: string): Promise<void> {
    this.#config.tokens.set(token);
    if (this.#state === "connected") await this.request("token.renew", { token });
  }

  /** Opens a socket, unless there is one that was opened for this, and asks to be welcomed. */
  async #dial(spare?: SocketLike): Promise<void> {
    this.emit("connecting", { attempt: this.#attempt });
    let token: string;
    let deviceId: string | null;
    try {
      token = await (this.#tokenRefused ? this.#config.tokens.renew("refused") : this.#config.tokens.get());
      deviceId = await this.#config.device.load();
    } catch {
      // The app's back end may be away for a moment, just as the server may.
      spare?.close(1000);
      return this.#again(0, "token_failed", 0);
    }
    if (this.#state !== "connecting" && this.#state !== "reconnecting") return spare?.close(1000);
    let socket: SocketLike;
    try {
      socket = spare?.readyState === OPEN ? spare : this.#config.openSocket(this.#config.address);
    } catch (error) {
      return this.#giveUp({ reason: error instanceof Error ? error.message : "no_socket", code: 0 });
    }
    this.#socket = socket;
    this.#helloTimer = setTimeout(() => this.#drop(socket, 0, "connect_timeout"), HELLO_TIMEOUTS_MS[Math.min(this.#attempt, HELLO_TIMEOUTS_MS.length - 1)]);
    const hello = () => {
      const params = { token, protocol: PROTOCOL, client: this.#config.client, deviceId: deviceId ?? undefined, resume: this.#cursor.resume };
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: "hello", method: "hello", params }));
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#hear(event.data);
    };
    socket.onclose = (event) => this.#drop(socket, event.code, event.reason);
    socket.onerror = () => {};
    if (socket === spare) hello();
    else socket.onopen = hello;
  }

  #hear(data: unknown): void {
    this.#lastHeard = Date.now();
    let message: Reply & { method?: string; params?: { seq: number } & ServerEvent };
    try {
      message = JSON.parse(String(data)) as typeof message;
    } catch {
      return;
    }
    if (message.method === "event" && message.params) {
      const { seq, ...event } = message.params;
      if (this.#cursor.accept(seq)) this.#event(event);
    } else if (message.id === "hello") {
      // A refused hello is followed by a close, which says what to do.
      if (message.result) this.#welcome(message.result as Welcome);
    } else {
      this.#requests.settle(message);
    }
  }

  #welcome(welcome: Welcome): void {
    clearTimeout(this.#helloTimer);
    this.#cursor.welcome(welcome.connectionId, welcome.resumed, welcome.lastSeq);
    this.#attempt = 0;
    this.#tokenRefused = false;
    void this.#config.device.save(welcome.deviceId);
    this.#setState("connected");
    for (const frame of this.#requests.unsent()) this.#write(frame);
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#ping(), PING_EVERY_MS);
    this.emit("welcome", welcome);
  }

  #event(event: ServerEvent): void {
    if (event.type === "token.expiring") void this.#renewExpiring((event.data as { expiresAt: number }).expiresAt);
    this.emit("event", event);
  }

  async #renewExpiring(expiresAt: number): Promise<void> {
    if (!this.#config.tokens.renewable) return this.emit("tokenExpiring", { expiresAt });
    try {
      await this.renewToken(await this.#config.tokens.renew("expiring"));
    } catch {
      this.emit("tokenExpiring", { expiresAt });
    }
  }

  #ping(): void {
    const socket = this.#socket;
    if (!socket) return;
    if (Date.now() - this.#lastHeard > SILENCE_MS) return this.#drop(socket, 0, "silent");
    this.#askAlive(10_000).catch(() => this.#drop(socket, 0, "silent"));
  }

  /** Pings; rejects if nothing is heard in time, be it the answer or anything else. */
  async #askAlive(timeoutMs: number): Promise<void> {
    const asked = Date.now();
    try {
      await this.request("ping", { lastSeq: this.#cursor.lastSeq }, { durable: false, timeoutMs });
      this.#roundTripMs = Date.now() - asked;
    } catch (error) {
      if (error instanceof ParleyError && error.code === "TIMEOUT" && this.#lastHeard < asked) throw error;
    }
  }

  #dismiss(spare: Spare): void {
    if (spare !== this.#spare) return;
    this.#spare = null;
    spare.close();
  }

  /** The socket is gone, or is as good as gone; spare is open already and takes its place. */
  #drop(socket: SocketLike, code: number, reason: string, spare?: SocketLike): void {
    if (socket !== this.#socket) return spare?.close(1000);
    this.#detach();
    this.#requests.lost();
    const next = verdict(code, reason);
    if (!next.retry) return this.#giveUp({ reason: next.reason, code });
    if (next.newToken) {
      if (this.#tokenRefused || !this.#config.tokens.renewable) return this.#giveUp({ reason: "unauthorized", code });
      this.#tokenRefused = true;
    }
    this.#again(code, reason, next.minDelayMs, spare);
  }

  #again(code: number, reason: string, minDelayMs: number, spare?: SocketLike): void {
    if (this.#state === "disconnected" || this.#state === "idle") return spare?.close(1000);
    // The first try after a working connection comes soon; timers of hidden pages are slow enough as it is.
    const delayMs = spare ? 0 : Math.max(minDelayMs, backoff(this.#attempt, Math.random()));
    this.#attempt++;
    this.#setState("reconnecting");
    this.emit("reconnecting", { attempt: this.#attempt, delayMs, code, reason });
    clearTimeout(this.#retryTimer);
    if (spare) void this.#dial(spare);
    else this.#retryTimer = setTimeout(() => void this.#dial(), delayMs);
  }

  /** Tries now instead of later; on another network also instead of an attempt that began on the one before. */
  #retryNow(otherNetwork = false): void {
    if (this.#state !== "reconnecting" || (this.#socket && !otherNetwork)) return;
    this.#detach();
    clearTimeout(this.#retryTimer);
    void this.#dial();
  }

  #giveUp(info: DisconnectInfo): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#expiryTimer);
    globalThis.removeEventListener?.("online", this.#wake);
    this.#detach();
    this.#cursor.reset();
    this.#setState("disconnected");
    this.#requests.failAll(new ParleyError("DISCONNECTED", `The connection has ended: ${info.reason}.`));
    this.emit("disconnected", info);
  }

  #detach(): void {
    clearTimeout(this.#helloTimer);
    clearInterval(this.#pingTimer);
    if (this.#spare) this.#dismiss(this.#spare);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close(1000);
    } catch {
      // Closing a socket that never opened may throw; it is gone either way.
    }
  }

  #write(frame: string): boolean {
    if (!this.#socket) return false;
    this.#socket.send(frame);
    return true;
  }

  #armExpiry(): void {
    clearTimeout(this.#expiryTimer);
    const next = this.#requests.nextDeadline();
    if (next === undefined) return;
    this.#expiryTimer = setTimeout(() => {
      this.#requests.expire(Date.now());
      this.#armExpiry();
    }, Math.max(0, next - Date.now()));
  }

  #setState(state: ConnectionState): void {
    const previous = this.#state;
    if (previous === state) return;
    this.#state = state;
    this.emit("stateChanged", { state, previous });
  }
}

/** Whether a request is over the limits of docs/protocol.md, section 1, with room for its envelope. */
function tooLong(method: string, params: object): boolean {
  const limit = (method === "session.offer" ? 512 : 64) * 1024 - 256;
  return new TextEncoder().encode(JSON.stringify(params)).length > limit;
}
