import { Blocks } from "./blocks.js";
import { Calls } from "./calls.js";
import { type ConnectionTest, type ConnectionTestOptions } from "./connection-test.js";
import { Emitter } from "./emitter.js";
import { Pushes } from "./pushes.js";
import { Session } from "./session.js";
import type { EnterOptions, JoinOptions } from "./session-types.js";
import type { ConnectionState, ParleyEvents, ParleyOptions, User } from "./types.js";
/** The SDK's own version, as it tells the server. */
export declare const VERSION = "1.0.0";
/**
 * One signed-in device: connects, stays connected, makes calls (`calls`) and joins their media (`join`). Several clients may
 * live in one page; they share nothing.
 */
export declare class Parley extends Emitter<ParleyEvents> {
    #private;
    /** Making and taking calls. */
    readonly calls: Calls;
    /** Where this user is told of calls when nothing of theirs is connected. */
    readonly pushes: Pushes;
    /** Whom this user has blocked. */
    readonly blocks: Blocks;
    constructor(options: ParleyOptions);
    /** State of the signaling connection. */
    get state(): ConnectionState;
    /** The signed-in user, once connected. */
    get user(): User | null;
    /** This device's id, once connected. */
    get deviceId(): string | null;
    /** The sessions that this device is in, or about to be. */
    get sessions(): readonly Session[];
    /** Connects, and keeps reconnecting from then on. Rejects if the server refuses for good, e.g. the token. */
    connect(): Promise<User>;
    /** Signs this device out: leaves its sessions and closes the connection. */
    disconnect(): void;
    /** Brings a new token for the same user, for clients that were given a fixed one. */
    renewToken(token: string): Promise<void>;
    /** Joins the media of a call: the caller from the start on, the called after accepting. */
    join(sessionId: string, options?: JoinOptions): Promise<Session>;
    /**
     * Comes into the session of a name with nobody being rung, and begins it where nobody is in it. The token says who may
     * (docs/protocol.md, section 8), and what they may do there: see `session.rights`.
     */
    enter(name: string, options?: EnterOptions): Promise<Session>;
    /**
     * Tries the connection to the server in every way that a call could take, in some 8 s, without a call: for a check before an
     * important one, and for support. Never rejects.
     */
    connectionTest(options?: ConnectionTestOptions): Promise<ConnectionTest>;
}
