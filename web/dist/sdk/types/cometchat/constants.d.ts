/** Media of a call. */
export declare const CALL_TYPE: {
    readonly AUDIO: "audio";
    readonly VIDEO: "video";
};
/** Who a call goes to. */
export declare const RECEIVER_TYPE: {
    readonly USER: "user";
    readonly GROUP: "group";
};
/** Status of a call. */
export declare const CALL_STATUS: {
    readonly INITIATED: "initiated";
    readonly ONGOING: "ongoing";
    readonly UNANSWERED: "unanswered";
    readonly REJECTED: "rejected";
    readonly BUSY: "busy";
    readonly CANCELLED: "cancelled";
    readonly ENDED: "ended";
};
/** Kind of a session: with a camera or without. */
export declare const SESSION_TYPE: {
    readonly VIDEO: "VIDEO";
    readonly VOICE: "VOICE";
    readonly AUDIO: "AUDIO";
};
/** Layouts that CometChat names. This grid has one, and takes them all. */
export declare const LAYOUT: {
    readonly TILE: "TILE";
    readonly SIDEBAR: "SIDEBAR";
    readonly SPOTLIGHT: "SPOTLIGHT";
};
/** Call modes of the older CallSettings. */
export declare const CALL_MODE: {
    readonly DEFAULT: "DEFAULT";
    readonly SPOTLIGHT: "SPOTLIGHT";
    readonly SINGLE: "SINGLE";
    readonly TILE: "TILE";
    readonly GRID: "GRID";
};
