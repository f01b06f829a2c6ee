import type { CallLogFilter, CallLogPage } from "./call-log.js";
import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import type { Call, CallEvents, InitiateOptions } from "./types.js";
/** What Calls needs of the client that it belongs to. */
interface Owner {
    connection: Connection;
    /** Sends a mutation; renews the token first when it has run out. */
    mutate<T>(method: string, params: object): Promise<T>;
    /** This device is out of a call that it ended or left itself. */
    leftCall(call: Call): void;
}
/**
 * Making and taking calls. Methods resolve with the call as it is then, and reject with a ParleyError whose code is the
 * server's; an action repeated after it has taken effect is no error.
 */
export declare class Calls extends Emitter<CallEvents> {
    #private;
    /** @internal */
    constructor(owner: Owner);
    /** Rings a user or a group. */
    initiate(options: InitiateOptions): Promise<Call>;
    /** Takes a call that rings here. Join its session next. */
    accept(sessionId: string, options?: {
        takeover?: boolean;
    }): Promise<Call>;
    /** Declines a call that rings here; `busy` (one to one only) tells the caller that you are in another call. */
    reject(sessionId: string, status?: "rejected" | "busy"): Promise<Call>;
    /** Gives up a call of yours that still rings. */
    cancel(sessionId: string): Promise<Call>;
    /**
     * Hangs up: ends a call of two, leaves a group call. `forAll` ends a group call for everybody, for those who may. The
     * session of this device closes by itself. Ending a call that is over gives its final state.
     */
    end(sessionId: string, options?: {
        forAll?: boolean;
    }): Promise<Call>;
    /** One call of this user, also one that is over. */
    get(sessionId: string): Promise<Call>;
    /** This user's calls that are not over. */
    active(): Promise<Call[]>;
    /** A page of this user's call log, newest first; calls that go on are among them. */
    history(filter?: CallLogFilter): Promise<CallLogPage>;
    /** A call that is not over, as this device last heard of it. */
    known(sessionId: string): Call | undefined;
    /** @internal Takes a `call.*` event of the server. */
    hear(type: string, data: unknown): void;
    /** @internal Takes the calls of a connection that was not resumed, and raises what was missed. */
    reconcile(me: string, snapshot: Call[], since: number | undefined): void;
    /** @internal This device has a place in the session of a call. */
    joined(call: Call): void;
}
export {};
