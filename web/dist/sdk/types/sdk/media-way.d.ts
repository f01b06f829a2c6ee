/** A way that media may take. */
export type WayName = "udp" | "tcp" | "turnUdp" | "turnTcp" | "turnTls";
/** Sends the offer of one PeerConnection of a test. */
export type TestOffer = (leg: string, body: OfferBody) => Promise<{
    sdp: string;
}>;
interface OfferBody {
    sdp: string;
    publications: {
        mid: string;
        source: string;
        muted: boolean;
    }[];
    slots: {
        pair: number;
        audioMid: string;
        videoMid: string;
    }[];
}
interface Outcome {
    result: "passed" | "failed";
    timeMs: number;
    reason: string;
}
/** One way to the media server, tried with a PeerConnection that has no other. */
export declare class MediaWay {
    #private;
    readonly name: WayName;
    constructor(name: WayName, servers: readonly RTCIceServer[]);
    /** Whether the server offers this way at all. */
    get exists(): boolean;
    /** Connects and hangs up. */
    connect(offer: TestOffer, signal?: AbortSignal): Promise<Outcome>;
}
/** Sends a picture that does not compress to the server and back, and measures what arrives. */
export declare function measureBitrate(iceServers: RTCIceServer[], offer: TestOffer, signal?: AbortSignal): Promise<{
    bitrate: number;
    timeMs: number;
    reason: string;
}>;
export {};
