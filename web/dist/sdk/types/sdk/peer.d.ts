import { type Watched } from "./encodings.js";
import type { Outgoing } from "./local-media.js";
import type { PairReceivers } from "./stage.js";
import type { Source } from "./types.js";
/** The body of `session.offer`, less the session. */
export interface OfferBody {
    sdp: string;
    publications: {
        mid: string;
        source: Source;
        muted: boolean;
    }[];
    slots: {
        pair: number;
        audioMid: string;
        videoMid: string;
    }[];
    iceRestart?: boolean;
}
/** What the server says when it is joined. */
export interface PeerFacts {
    iceServers: RTCIceServer[];
    videoCodec: string;
    pairs: number;
}
interface PeerConfig extends PeerFacts {
    iceTransportPolicy?: RTCIceTransportPolicy;
    forceTcp?: boolean;
    /** Sends videos in several sizes. */
    simulcast: boolean;
    /** Sends an offer and resolves with the answer. */
    offer(body: OfferBody): Promise<{
        sdp: string;
    }>;
}
/**
 * One PeerConnection of a session, in the shape of docs/protocol.md, section 5: what is published, the pairs of slots, the
 * data channel if there is one; and its offers, strictly one at a time.
 */
export declare class Peer {
    #private;
    readonly connection: RTCPeerConnection;
    constructor(config: PeerConfig, tracks: readonly Outgoing[]);
    /** Takes what was not known when it was made, before the first offer. */
    complete({ iceServers, videoCodec, pairs }: PeerFacts, tracks: readonly Outgoing[]): Promise<void>;
    get closed(): boolean;
    get pairCount(): number;
    /** The receivers of a pair. */
    receivers(pair: number): PairReceivers | undefined;
    /** The pair that a received track belongs to. */
    pairOf(trackId: string): number | undefined;
    /** Whether a source has an m-line of its own that is in use. */
    publishes(source: Source): boolean;
    /** Adds a source, or takes its old m-line up again. An offer has to follow. */
    publish(source: Source, track: MediaStreamTrack | null, muted: boolean): void;
    /** Ends a source; its m-line becomes inactive with the next offer. */
    unpublish(source: Source): void;
    /** Sends another track, or none, where this source was sent. No offer is needed. */
    replace(source: Source, track: MediaStreamTrack | null): Promise<void>;
    /** Stops encoding what nobody receives, and starts again what somebody does. Mute has no part in it. */
    watched(list: readonly Watched[]): void;
    /** Remembers mute for the next offer. */
    setMuted(source: Source, muted: boolean): void;
    isMuted(source: Source): boolean;
    /** The source on a sending m-line. */
    sourceOf(mid: string): Source | undefined;
    /** Makes the pool at least this many pairs. An offer has to follow. */
    grow(pairs: number): void;
    /** The data channel, made when there is none that could be used. An offer has to follow. */
    openChannel(): RTCDataChannel;
    /** Puts another codec first. An offer has to follow. */
    setVideoCodec(codec: string): void;
    /** Replaces the TURN credentials, for a restart. */
    setIceServers(servers: RTCIceServer[]): void;
    /** Offers what there is now, after the offers that are under way. */
    negotiate(options?: {
        iceRestart?: boolean;
    }): Promise<void>;
    close(): void;
}
export {};
