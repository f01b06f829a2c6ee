import type { Peer } from "./peer.js";

/** How long growing waits for media after the connection is up. */
const WAIT_MS = 2_000;

/**
 * Adds pairs to the pool of a PeerConnection, but after the first media only: an offer with many m-lines takes the browser so
 * long that it would delay the first picture.
 */
export class Growth {
  #peer: Peer;
  #grown: () => void;
  #wanted = 0;
  #mediaSeen = false;

  constructor(peer: Peer, grown: () => void) {
    this.#peer = peer;
    this.#grown = grown;
    for (let pair = 0; pair < peer.pairCount; pair++) {
      peer.receivers(pair)?.video.track.addEventListener("unmute", () => this.#ready(), { once: true });
    }
  }

  /** The server has more to send than there are pairs. */
  need(pairs: number): void {
    this.#wanted = Math.max(this.#wanted, pairs);
    if (this.#mediaSeen) this.#grow();
  }

  /** The connection is up; if nobody sends pictures, there is nothing to wait for. */
  connected(): void {
    setTimeout(() => this.#ready(), WAIT_MS);
  }

  #ready(): void {
    if (this.#mediaSeen) return;
    this.#mediaSeen = true;
    this.#grow();
  }

  #grow(): void {
    if (this.#peer.closed || this.#peer.pairCount >= this.#wanted) return;
    this.#peer.grow(this.#wanted);
    this.#grown();
  }
}
