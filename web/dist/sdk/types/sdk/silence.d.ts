/** What to do about a connection that may be dead. */
export type SilenceStep = "none" | "count" | "silent";
/** Nothing was heard for this long: worth a closer look. Bursts of loss on a network that lives are shorter. */
export declare const LISTEN_MS = 150;
/** How long the closer look takes: the server answers what this device sends at least every 100 ms. */
export declare const COUNT_MS = 150;
/**
 * Notices within some 300 ms that nothing comes in any more, long before the browser does (it takes seconds). Sound and
 * pictures that stop may have stopped at their sender. Then the packets of the whole connection are counted, reports among
 * them: if there is not one either, it is the network. A decision only: it takes the time and what was seen.
 */
export declare class Silence {
    #private;
    /** Takes a look: whether anything new was played since the one before. */
    look(now: number, news: boolean): SilenceStep;
    /** Takes the packets that ever came in. */
    counted(now: number, packets: number): SilenceStep;
}
