import { Emitter } from "./emitter.js";
import { TokenSource } from "./token.js";
import type { Call, ConnectionState, DeviceStorage, ParleyEvents, SocketLike, User } from "./types.js";
/** The protocol version of docs/protocol.md that this client speaks. */
export declare const PROTOCOL = "1.0";
/** The answer to a hello. */
export interface Welcome {
    connectionId: string;
    deviceId: string;
    user: User;
    resumed: boolean;
    lastSeq: number;
    serverTime: number;
    snapshot?: {
        calls: Call[];
    };
}
/** A numbered event of the server. */
export interface ServerEvent {
    type: string;
    at: number;
    data: unknown;
}
interface ConnectionEvents extends Pick<ParleyEvents, "stateChanged" | "connecting" | "reconnecting" | "disconnected" | "tokenExpiring"> {
    welcome: Welcome;
    event: ServerEvent;
}
interface ConnectionConfig {
    address: string;
    tokens: TokenSource;
    device: DeviceStorage;
    client: {
        name: string;
        version: string;
    };
    requestTimeoutMs: number;
    openSocket: (url: string) => SocketLike;
}
/**
 * The signaling socket and all that happens to it: hello, resume, reconnecting, keep-alive, requests. It owns the socket and
 * its timers; what to resume, which event is news and when to try again is decided by Cursor, Requests and reconnect.
 */
export declare class Connection extends Emitter<ConnectionEvents> {
    #private;
    constructor(config: ConnectionConfig);
    get state(): ConnectionState;
    /** Starts connecting, and goes on until `close` or a final refusal. */
    open(): void;
    /** Ends the connection and forgets it: the next `open` starts anew. */
    close(): void;
    /** Sends a request and resolves with its result. Durable ones survive a reconnect; see Requests. */
    request<T>(method: string, params: object, options?: {
        durable?: boolean;
        timeoutMs?: number;
    }): Promise<T>;
    /** Finds out soon whether the socket still lives, and goes over to another at once if not. What waits for an answer goes there. */
    probe(): void;
    /** Puts a new token on the open connection, and keeps it for the next hello. */
    renewToken(token: string): Promise<void>;
}
export {};
