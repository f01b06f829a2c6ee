import { socketAddress } from "./address.js";
import { Calls } from "./calls.js";
import { Connection, type ServerEvent, type Welcome } from "./connection.js";
import { testConnection, type ConnectionTest, type ConnectionTestOptions } from "./connection-test.js";
import { MemoryStorage, TabStorage } from "./device.js";
import { Emitter } from "./emitter.js";
import { ParleyError, codeOf } from "./errors.js";
import { Pushes } from "./pushes.js";
import { Session } from "./session.js";
import type { JoinOptions } from "./session-types.js";
import { TokenSource } from "./token.js";
import type { Call, ConnectionState, ParleyEvents, ParleyOptions, SocketLike, User } from "./types.js";

/** The SDK's own version, as it tells the server. */
export const VERSION = "1.0.0";

/**
 * One signed-in device: connects, stays connected, makes calls (`calls`) and joins their media (`join`). Several clients may
 * live in one page; they share nothing.
 */
export class Parley extends Emitter<ParleyEvents> {
  /** Making and taking calls. */
  readonly calls: Calls;
  /** Where this user is told of calls when nothing of theirs is connected. */
  readonly pushes: Pushes;
  #connection: Connection;
  #tokens: TokenSource;
  #sessions = new Map<string, Session>();
  #user: User | null = null;
  #deviceId: string | null = null;
  #lastContact: number | undefined;

  constructor(options: ParleyOptions) {
    super();
    this.#tokens = new TokenSource(options.token);
    this.#connection = new Connection({
      address: socketAddress(options.url, globalThis.location),
      tokens: this.#tokens,
      device: options.deviceStorage ?? (globalThis.sessionStorage === undefined ? new MemoryStorage() : new TabStorage()),
      client: options.client ?? { name: "parley-js", version: VERSION },
      requestTimeoutMs: options.requestTimeoutMs ?? 20_000,
      openSocket: options.openSocket ?? ((url) => new WebSocket(url) as unknown as SocketLike),
    });
    this.calls = new Calls({
      connection: this.#connection,
      mutate: (method, params) => this.#mutate(method, params),
      leftCall: (call) => this.#sessions.get(call.sessionId)?.end("hangup", call),
    });
    this.pushes = new Pushes({ connection: this.#connection, mutate: (method, params) => this.#mutate(method, params) });
    for (const event of ["stateChanged", "connecting", "reconnecting", "tokenExpiring"] as const) {
      this.#connection.on(event, (payload) => this.emit(event, payload as never));
    }
    this.#connection.on("welcome", (welcome) => this.#welcome(welcome));
    this.#connection.on("event", (event) => this.#hear(event));
    this.#connection.on("disconnected", (info) => {
      for (const session of this.sessions) session.end("lost");
      this.emit("disconnected", info);
    });
  }

  /** State of the signaling connection. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The signed-in user, once connected. */
  get user(): User | null {
    return this.#user;
  }

  /** This device's id, once connected. */
  get deviceId(): string | null {
    return this.#deviceId;
  }

  /** The sessions that this device is in, or about to be. */
  get sessions(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Connects, and keeps reconnecting from then on. Rejects if the server refuses for good, e.g. the token. */
  connect(): Promise<User> {
    if (this.state === "connected" && this.#user) return Promise.resolve(this.#user);
    return new Promise((resolve, reject) => {
      const offs = [
        this.on("connected", ({ user }) => {
          done();
          resolve(user);
        }),
        this.on("disconnected", ({ reason }) => {
          done();
          reject(new ParleyError("DISCONNECTED", `The server did not take the connection: ${reason}.`, "", { reason }));
        }),
      ];
      const done = () => offs.forEach((off) => off());
      this.#connection.open();
    });
  }

  /** Signs this device out: leaves its sessions and closes the connection. */
  disconnect(): void {
    for (const session of this.sessions) void session.leave();
    this.#connection.close();
  }

  /** Brings a new token for the same user, for clients that were given a fixed one. */
  renewToken(token: string): Promise<void> {
    return this.#connection.renewToken(token);
  }

  /** Joins the media of a call: the caller from the start on, the called after accepting. */
  async join(sessionId: string, options: JoinOptions = {}): Promise<Session> {
    if (!this.#user) throw new ParleyError("NOT_CONNECTED", "The client is not connected.");
    const present = this.#sessions.get(sessionId);
    if (present) throw new ParleyError("ALREADY_JOINED", "This client is in that session already.");
    const session = new Session({
      sessionId,
      user: this.#user,
      options,
      mutate: (method, params) => this.#mutate(method, params),
      request: (method, params) => this.#connection.request(method, params),
      online: () => this.state === "connected",
      probe: () => this.#connection.probe(),
      callType: this.calls.known(sessionId)?.type,
      joined: (call) => this.calls.joined(call),
    });
    // Known before the first message goes out, so that no event of the session comes too early.
    this.#sessions.set(sessionId, session);
    const forget = () => {
      if (this.#sessions.get(sessionId) === session) this.#sessions.delete(sessionId);
    };
    session.once("closed", forget);
    try {
      await session.start();
    } catch (error) {
      forget();
      throw error;
    }
    return session;
  }

  /**
   * Tries the connection to the server in every way that a call could take, in some 8 s, without a call: for a check before an
   * important one, and for support. Never rejects.
   */
  connectionTest(options: ConnectionTestOptions = {}): Promise<ConnectionTest> {
    return testConnection({
      ...options,
      online: () => this.state === "connected",
      request: (method, params) => this.#connection.request(method, params, { durable: false }),
    });
  }

  async #mutate<T>(method: string, params: object): Promise<T> {
    try {
      return await this.#connection.request<T>(method, params);
    } catch (error) {
      if (codeOf(error) !== "ERR_TOKEN_EXPIRED" || !this.#tokens.renewable) throw error;
      await this.#connection.renewToken(await this.#tokens.renew("refused"));
      return this.#connection.request<T>(method, params);
    }
  }

  #welcome(welcome: Welcome): void {
    this.#user = welcome.user;
    this.#deviceId = welcome.deviceId;
    this.emit("connected", { user: welcome.user, resumed: welcome.resumed });
    const calls = welcome.snapshot?.calls;
    if (!welcome.resumed && calls) {
      this.calls.reconcile(welcome.user.uid, calls, this.#lastContact);
      this.emit("snapshot", { calls });
    }
    for (const session of this.sessions) {
      session.signalingRestored(welcome.resumed, calls?.find((c) => c.sessionId === session.sessionId));
    }
    this.#lastContact = welcome.serverTime;
  }

  #hear(event: ServerEvent): void {
    this.#lastContact = event.at;
    if (event.type.startsWith("call.")) {
      const { call } = event.data as { call: Call };
      this.#sessions.get(call.sessionId)?.callChanged(call);
      this.calls.hear(event.type, event.data);
    } else if (event.type.startsWith("session.")) {
      const { sessionId } = event.data as { sessionId: string };
      this.#sessions.get(sessionId)?.hear(event.type.slice("session.".length), event.data);
    } else if (event.type === "server.draining") {
      this.emit("draining", event.data as { deadline: number });
    }
  }
}
