import { socketAddress } from "./address.js";
import { Blocks } from "./blocks.js";
import { Calls } from "./calls.js";
import { Connection, type ServerEvent, type Welcome } from "./connection.js";
import { testConnection, type ConnectionTest, type ConnectionTestOptions } from "./connection-test.js";
import { MemoryStorage, TabStorage } from "./device.js";
import { Emitter } from "./emitter.js";
import { ParleyError, codeOf } from "./errors.js";
import { Pushes } from "./pushes.js";
import { Session } from "./session.js";
import type { EnterOptions, JoinOptions } from "./session-types.js";
import { TokenSource } from "./token.js";
import type { SessionConfig } from "./session-config.js";
import type { Call, ConnectionState, NamedSession, ParleyEvents, ParleyOptions, SocketLike, User } from "./types.js";

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
  /** Whom this user has blocked. */
  readonly blocks: Blocks;
  #connection: Connection;
  #tokens: TokenSource;
  #sessions = new Map<string, Session>();
  /** Named sessions whose call is not known yet, by name. */
  #entering = new Map<string, Session>();
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
    this.blocks = new Blocks({ connection: this.#connection, mutate: (method, params) => this.#mutate(method, params) });
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
    return [...this.#sessions.values(), ...this.#entering.values()];
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
    if (this.#sessions.has(sessionId)) throw alreadyJoined();
    const call = this.calls.known(sessionId);
    const session = this.#session({ sessionId }, options, call);
    // Known before the first message goes out, so that no event of the session comes too early.
    this.#sessions.set(sessionId, session);
    return this.#start(session);
  }

  /**
   * Comes into the session of a name with nobody being rung, and begins it where nobody is in it. The token says who may
   * (docs/protocol.md, section 8), and what they may do there: see `session.rights`.
   */
  async enter(name: string, options: EnterOptions = {}): Promise<Session> {
    const isIn = (session: Session) => (session.call.receiver as Partial<NamedSession>).session === name;
    if (this.#entering.has(name) || [...this.#sessions.values()].some((s) => s.joined && isIn(s))) throw alreadyJoined();
    const session = this.#session({ name }, options);
    this.#entering.set(name, session);
    return this.#start(session);
  }

  #session(place: SessionConfig["place"], options: EnterOptions, call?: Call): Session {
    if (!this.#user) throw new ParleyError("NOT_CONNECTED", "The client is not connected.");
    const session: Session = new Session({
      place,
      user: this.#user,
      options,
      asksRights: "name" in place || call?.receiverType === "session",
      mutate: (method, params) => this.#mutate(method, params),
      request: (method, params) => this.#connection.request(method, params),
      online: () => this.state === "connected",
      probe: () => this.#connection.probe(),
      callType: call?.type,
      joined: (joined) => {
        this.#forget(session);
        this.#sessions.set(joined.sessionId, session);
        this.calls.joined(joined);
      },
      endForAll: (sessionId) => this.calls.end(sessionId, { forAll: true }),
    });
    return session;
  }

  async #start(session: Session): Promise<Session> {
    const forget = () => this.#forget(session);
    session.once("closed", forget);
    try {
      await session.start();
    } catch (error) {
      forget();
      throw error;
    }
    return session;
  }

  #forget(session: Session): void {
    for (const known of [this.#sessions, this.#entering]) {
      for (const [key, other] of known) if (other === session) known.delete(key);
    }
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
      const name = event.type.slice("session.".length);
      const session = this.#sessions.get(sessionId);
      if (session) session.hear(name, event.data);
      else for (const entering of this.#entering.values()) entering.hearEarly(sessionId, name, event.data);
    } else if (event.type === "server.draining") {
      this.emit("draining", event.data as { deadline: number });
    }
  }
}

function alreadyJoined(): ParleyError {
  return new ParleyError("ALREADY_JOINED", "This client is in that session already.");
}
