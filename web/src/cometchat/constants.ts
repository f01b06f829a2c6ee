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
/** Layouts: all alike, one large beside the others, one alone. */
export const LAYOUT = { TILE: "TILE", SIDEBAR: "SIDEBAR", SPOTLIGHT: "SPOTLIGHT" } as const;
/** Call modes of the older CallSettings. */
export const CALL_MODE = { DEFAULT: "DEFAULT", SPOTLIGHT: "SPOTLIGHT", SINGLE: "SINGLE", TILE: "TILE", GRID: "GRID" } as const;
/** Platforms of push tokens, as the newer notifications API names them. */
export const PUSH_PLATFORMS = {
  FCM_ANDROID: "FCM_ANDROID",
  FCM_IOS: "FCM_iOS",
  FCM_WEB: "FCM_WEB",
  FCM_FLUTTER_ANDROID: "FCM_FLUTTER_ANDROID",
  FCM_FLUTTER_IOS: "FCM_FLUTTER_iOS",
  FCM_REACT_NATIVE_ANDROID: "FCM_REACT_NATIVE_ANDROID",
  FCM_REACT_NATIVE_IOS: "FCM_REACT_NATIVE_iOS",
  FCM_IONIC_CORDOVA_ANDROID: "FCM_IONIC_CORDOVA_ANDROID",
  FCM_IONIC_CORDOVA_IOS: "FCM_IONIC_CORDOVA_iOS",
  APNS_IOS_DEVICE: "APNS_iOS_DEVICE",
  APNS_IOS_VOIP: "APNS_iOS_VOIP",
  APNS_FLUTTER_DEVICE: "APNS_FLUTTER_DEVICE",
  APNS_FLUTTER_VOIP: "APNS_FLUTTER_VOIP",
  APNS_REACT_NATIVE_DEVICE: "APNS_REACT_NATIVE_DEVICE",
  APNS_REACT_NATIVE_VOIP: "APNS_REACT_NATIVE_VOIP",
  APNS_IONIC_CORDOVA_DEVICE: "APNS_IONIC_CORDOVA_DEVICE",
  APNS_IONIC_CORDOVA_VOIP: "APNS_IONIC_CORDOVA_VOIP",
} as const;
