/** What to do about a connection that may be dead. */
export type SilenceStep = "none" | "count" | "silent";

/** Nothing was heard for this long: worth a closer look. Bursts of loss on a network that lives are shorter. */
export const LISTEN_MS = 150;
/** How long the closer look takes: the server answers what this device sends at least every 100 ms. */
export const COUNT_MS = 150;
/** A timer that comes this late says nothing about the network: the page was busy, or hidden. */
const LATE_MS = 500;

/**
 * Notices within some 300 ms that nothing comes in any more, long before the browser does (it takes seconds). Sound and
 * pictures that stop may have stopped at their sender. Then the packets of the whole connection are counted, reports among
 * them: if there is not one either, it is the network. A decision only: it takes the time and what was seen.
 */
export class Silence {
  #flowing = false;
  #heardAt = 0;
  #lookedAt: number | undefined;
  #count: { at: number; packets: number } | undefined;

  /** Takes a look: whether anything new was played since the one before. */
  look(now: number, news: boolean): SilenceStep {
    const late = this.#lookedAt !== undefined && now - this.#lookedAt > LATE_MS;
    this.#lookedAt = now;
    if (news || late) {
      this.#flowing ||= news;
      this.#heardAt = now;
      this.#count = undefined;
      return "none";
    }
    if (!this.#flowing || now - this.#heardAt < LISTEN_MS) return "none";
    if (this.#count && now - this.#count.at < COUNT_MS) return "none";
    return "count";
  }

  /** Takes the packets that ever came in. */
  counted(now: number, packets: number): SilenceStep {
    if (!this.#flowing || now - this.#heardAt < LISTEN_MS) return "none";
    const before = this.#count;
    if (!before || before.packets !== packets) {
      this.#count = { at: now, packets };
      return "none";
    }
    if (now - before.at < COUNT_MS) return "none";
    this.#flowing = false; // said once, until something is heard again
    this.#count = undefined;
    return "silent";
  }
}
