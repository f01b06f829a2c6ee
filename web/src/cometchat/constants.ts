/** Media of a call. */
export const CALL_TYPE = { AUDIO: "audio", VIDEO: "video" } as const;
/** Who a call goes to. */
export const RECEIVER_TYPE = { USER: "user", GROUP: "group" } as const;
/** Status of a call. */
export const CALL_STATUS = {
  INITIATED: "initiated",
  ONGOING: "ongoing",
  UNANSWERED: "unanswered",
  REJECTED: "rejected",
  BUSY: "busy",
  CANCELLED: "cancelled",
  ENDED: "ended",
} as const;
/** Kind of a session: with a camera or without. */
export const SESSION_TYPE = { VIDEO: "VIDEO", VOICE: "VOICE", AUDIO: "AUDIO" } as const;
/** Layouts that CometChat names. This grid has one, and takes them all. */
export const LAYOUT = { TILE: "TILE", SIDEBAR: "SIDEBAR", SPOTLIGHT: "SPOTLIGHT" } as const;
/** Call modes of the older CallSettings. */
export const CALL_MODE = { DEFAULT: "DEFAULT", SPOTLIGHT: "SPOTLIGHT", SINGLE: "SINGLE", TILE: "TILE", GRID: "GRID" } as const;
