import type { Source } from "./types.js";
/** One encoding of what is sent, with what TypeScript's own type does not know yet (webrtc-svc, section 4). */
export interface Encoding extends RTCRtpEncodingParameters {
    scalabilityMode?: string;
}
/**
 * The encodings that a source is sent in, from the smallest to the largest as docs/protocol.md wants them.
 *
 * A camera has three, also in a call of two: its publisher only knows its own network, and the other's may be narrower, so
 * the server needs something to choose from. Where it is not, this costs next to nothing, because the server says which
 * encodings nobody receives and they are stopped. Each has three temporal layers (L1T3), so that there are steps in between:
 * without its upper layers an encoding takes 40 % of its bit rate.
 */
export declare function encodingsOf(source: Source, simulcast: boolean, temporal: boolean): Encoding[];
/** What an encoding should be for a picture of a size. */
export interface Sizing {
    scaleResolutionDownBy: number;
    maxBitrate: number;
    /** The picture is too small for this one. */
    unused: boolean;
}
/**
 * Chromium encodes a picture below these pixels (960×540, 480×270) in two sizes and in one, whatever it was asked for: the
 * first ones of the list, which are the small ones. So those are made as large as the picture then.
 */
export declare function sizingOf(source: Source, count: number, index: number, pixels: number | undefined): Sizing;
/** What gives way when the network or the processor is short: a face should move, a text should be sharp. */
export declare function degradationOf(source: Source): "maintain-framerate" | "maintain-resolution";
/** What the server says of one publication (event session.publish). */
export interface Watched {
    publicationId: string;
    mid: string;
    active: boolean;
    encodings?: {
        rid: string;
        active: boolean;
    }[];
}
/** Whether an encoding should run; what the server has said nothing about should. */
export declare function shouldRun(watched: Watched | undefined, rid: string | undefined): boolean;
