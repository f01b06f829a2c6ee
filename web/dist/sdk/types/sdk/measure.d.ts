/** What was measured on one pair since the time before (params of session.stats). */
export interface SlotStats {
    pair: number;
    concealed?: number;
    jitterBufferMs?: number;
    frozen?: number;
    frameRate?: number;
    width?: number;
    height?: number;
}
/** The counters of an inbound-rtp entry (W3C webrtc-stats) that are of interest; a browser may lack any of them. */
export interface InboundCounters {
    kind: "audio" | "video";
    totalSamplesReceived?: number;
    concealedSamples?: number;
    silentConcealedSamples?: number;
    jitterBufferDelay?: number;
    jitterBufferEmittedCount?: number;
    totalFreezesDuration?: number;
    framesDecoded?: number;
    frameWidth?: number;
    frameHeight?: number;
}
/** The two streams of a pair. */
export interface PairCounters {
    pair: number;
    audio?: InboundCounters;
    video?: InboundCounters;
}
/**
 * The difference between two readings. A pair on which nothing came meanwhile is left out. Sound that was made up while it
 * was silent anyway, as between two words of a sender that does not send silence, does not count.
 */
export declare function measure(before: readonly PairCounters[], after: readonly PairCounters[], seconds: number): SlotStats[];
/** Reads the counters of every pair. */
export declare function readPairs(connection: RTCPeerConnection, pairOf: (trackId: string) => number | undefined): Promise<PairCounters[]>;
