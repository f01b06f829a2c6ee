/** Counters of one track, summed over what the browser reports. */
export interface TrackStats {
    source: string;
    participantId: string;
    kind: "audio" | "video";
    codec: string;
    bytes: number;
    packets: number;
    packetsLost: number;
    /** Video only. */
    frames: number;
    width: number;
    height: number;
    /** Received audio only: energy so far (see totalAudioEnergy of W3C webrtc-stats). */
    audioEnergy: number;
    /** Received only, in seconds. */
    jitter: number;
}
/** What a session sends and receives, from one RTCPeerConnection.getStats. */
export interface SessionStats {
    sent: TrackStats[];
    received: TrackStats[];
    /** The candidate pair in use: `udp` or `tcp`, whether through TURN, and the round trip in milliseconds. */
    transport: {
        protocol: string;
        relayProtocol: string;
        relayed: boolean;
        roundTripMs: number;
    } | null;
}
