import type { Peer } from "./peer.js";
/**
 * Adds pairs to the pool of a PeerConnection, but after the first media only: an offer with many m-lines takes the browser so
 * long that it would delay the first picture.
 */
export declare class Growth {
    #private;
    constructor(peer: Peer, grown: () => void);
    /** The server has more to send than there are pairs. */
    need(pairs: number): void;
    /** The connection is up; if nobody sends pictures, there is nothing to wait for. */
    connected(): void;
}
