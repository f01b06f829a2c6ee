import { ParleyError, codeOf } from "./errors.js";
import { backoff } from "./reconnect.js";
import type { Publication } from "./types.js";

const TRIES = 6;

/** The answer to an offer. */
export interface OfferAnswer {
  sdp: string;
  /** What the server calls this device's own publications, where it says so here. */
  publications?: Publication[];
}

/** Sends one offer; one that came too soon is sent again, as the server asks. */
export async function sendOffer<B, A>(request: (body: B) => Promise<A>, body: B, closed: () => boolean): Promise<A> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await request(body);
    } catch (error) {
      const tooSoon = ["ERR_TOO_MANY_REQUESTS", "ERR_OFFER_IN_PROGRESS"].includes(codeOf(error));
      if (!tooSoon || attempt >= TRIES || closed()) throw error;
      const wait = Number((error as ParleyError).details["retryAfterMs"]);
      await sleep(wait > 0 ? wait : backoff(attempt, Math.random()));
    }
  }
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
