import type { Peer } from "./peer.js";
import type { Source } from "./types.js";
/** Counters of one track, from the browser's own statistics (W3C webrtc-stats). */
export interface TrackStats {
    source: Source | "";
    participantId: string;
    kind: "audio" | "video";
    codec: string;
    bytes: number;
    packets: number;
    packetsLost: number;
    /** Video: decoded or encoded so far. */
    frames: number;
    width: number;
    height: number;
    /** Received audio: energy so far. */
    audioEnergy: number;
    /** Received, in seconds. */
    jitter: number;
}
/** What a session sends and receives. */
export interface SessionStats {
    sent: TrackStats[];
    received: TrackStats[];
    /** The candidate pair in use: `udp` or `tcp`, how the TURN server is reached if it goes through one, the round trip. */
    transport: {
        protocol: string;
        relayProtocol: string;
        relayed: boolean;
        roundTripMs: number;
    } | null;
}
/** Reads the statistics of a PeerConnection. */
export declare function readStats(peer: Peer | null, me: string, ownerOf: (track: MediaStreamTrack) => {
    participantId: string;
    source: Source;
} | undefined): Promise<SessionStats>;
