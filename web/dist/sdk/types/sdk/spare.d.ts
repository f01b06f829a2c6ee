import type { SocketLike } from "./types.js";
/** What became of a spare socket. */
export type SpareState = "opening" | "open" | "gone";
/**
 * A socket that opens beside the one in use while that one is asked whether it lives: a network that both of them are in
 * answers the question sooner than it opens a socket, so that nothing is lost by not waiting for the answer first.
 */
export declare class Spare {
    #private;
    /** `decide` is called once: when it is known whether the socket opens, but not before `leastMs`, and at the latest after `mostMs`. */
    constructor(socket: SocketLike, leastMs: number, mostMs: number, decide: (state: SpareState) => void);
    /** Hands the socket over. */
    take(): SocketLike;
    /** It is not needed. One that is still opening may do so first: Firefox complains of others on the console. */
    close(): void;
}
