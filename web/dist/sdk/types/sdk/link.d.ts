import type { Outgoing } from "./local-media.js";
import { Peer } from "./peer.js";
import type { JoinResult } from "./session-config.js";
import type { PairReceivers } from "./stage.js";
import type { JoinOptions } from "./session-types.js";
import type { Publication, Source } from "./types.js";
interface LinkConfig {
    /** Known once joined. */
    readonly sessionId: string;
    options: JoinOptions;
    request<T>(method: string, params: object): Promise<T>;
    online(): boolean;
    join(): Promise<JoinResult>;
    outgoing(): Outgoing[];
    connected(): void;
    lost(reason: string): void;
    restored(): void;
    failed(error: unknown): void;
    /** The receivers of the pairs are others, or more, than before. */
    renewed(): void;
    message(text: string): void;
    /** Finds out soon whether signaling still lives. */
    probe(): void;
}
/**
 * A session's connection to the media server through all of its PeerConnections: negotiates, keeps what is sent in step with
 * the devices, grows the pool of slots, and carries out what Recovery decides.
 */
export declare class Link {
    #private;
    constructor(config: LinkConfig);
    get peer(): Peer | null;
    receivers(pair: number): PairReceivers | undefined;
    /** Joins and negotiates; `prepare` runs in between and opens devices. */
    open(prepare: () => Promise<void>): Promise<void>;
    /** Brings what is sent in step with the devices: tracks, mute, and new sources, which take an offer. */
    syncTracks(): Promise<void>;
    /** Ends sources, such as a screen share. */
    unpublish(sources: Source[]): Promise<void>;
    /** Takes the server's names for what this device publishes. */
    ownPublications(publications: Publication[]): void;
    /** Which source of this device the server calls so. */
    sourceOf(publicationId: string): Source | undefined;
    /** The server has more to send than there are pairs. */
    needPairs(pairs: number): void;
    /** What of this device's is received by somebody. */
    watched(list: Parameters<Peer["watched"]>[0]): void;
    useCodec(codec: string): void;
    /** Sends on the data channel, which is opened for the first message; false for what is over 16 KiB, or too late. */
    send(text: string): boolean;
    /** Opens the data channel: the server has something for it. */
    openData(): void;
    /** Restarts ICE now. */
    restart(): void;
    /** The server does not know this PeerConnection any more. */
    rejoin(): void;
    /** Signaling is back with nothing lost: what waits for it may go on. */
    signalingRestored(): void;
    close(): void;
}
export {};
