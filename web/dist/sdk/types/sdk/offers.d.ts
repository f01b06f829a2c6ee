import type { Publication } from "./types.js";
/** The answer to an offer. */
export interface OfferAnswer {
    sdp: string;
    /** What the server calls this device's own publications, where it says so here. */
    publications?: Publication[];
}
/** Sends one offer; one that came too soon is sent again, as the server asks. */
export declare function sendOffer<B, A>(request: (body: B) => Promise<A>, body: B, closed: () => boolean): Promise<A>;
/** Resolves after `ms` milliseconds. */
export declare function sleep(ms: number): Promise<void>;
