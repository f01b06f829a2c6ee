import type { Peer } from "./peer.js";
/** Listens to what comes in over a PeerConnection and calls `silent` when nothing does any more, until it is stopped. */
export declare function listen(peer: Peer, silent: () => void): () => void;
