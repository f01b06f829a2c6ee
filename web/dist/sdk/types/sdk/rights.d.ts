import type { Source } from "./types.js";
/** What this device may do in a session, as its token says. */
export interface SessionRights {
    /** The sources that it may publish. */
    publish: readonly Source[];
    /** Whether it receives anything. */
    subscribe: boolean;
    /** May mute others, lower their hands, put them out, and end the call for all. */
    moderate: boolean;
    /** Is shown to nobody and publishes nothing. */
    hidden: boolean;
}
/** The rights of who joins a call that rang: everything but moderating. */
export declare const EVERYTHING: SessionRights;
