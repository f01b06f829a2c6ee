import { ParleyError } from "./errors.js";
/** A JSON-RPC reply. */
export interface Reply {
    id?: unknown;
    result?: unknown;
    error?: {
        code: number;
        message: string;
        data?: {
            code?: string;
            field?: string;
            details?: Record<string, unknown>;
        };
    };
}
/**
 * The requests that wait for an answer. A lost socket does not fail them: the same bytes, with the same mutation id, go out
 * on the next one, and the server answers a mutation that it knows with its first answer. Takes the time; has no timers.
 */
export declare class Requests {
    #private;
    get size(): number;
    /** Enters a request and gives back its frame. `deadline` is in the clock of `expire`. */
    add(method: string, params: object, options: {
        durable: boolean;
        deadline: number;
    }, done: {
        resolve: (result: unknown) => void;
        reject: (error: ParleyError) => void;
    }): {
        id: number;
        frame: string;
    };
    /** Notes that a frame went out. */
    sent(id: number): void;
    /** Settles the request that a reply belongs to; false if there is none (any more). */
    settle(reply: Reply): boolean;
    /** The socket is gone: what is not durable fails now, the rest waits to be sent again. */
    lost(): void;
    /** What has to go out on a new socket, oldest first; each counts as sent from now on. */
    unsent(): string[];
    /** Fails what has waited past its deadline. */
    expire(now: number): void;
    /** When `expire` has something to do next. */
    nextDeadline(): number | undefined;
    /** Fails everything, at the end of the connection. */
    failAll(error: ParleyError): void;
}
/** Turns a JSON-RPC error into ours. */
export declare function errorOf(error: NonNullable<Reply["error"]>): ParleyError;
