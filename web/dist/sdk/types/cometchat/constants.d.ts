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
/** Layouts: all alike, one large beside the others, one alone. */
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
/** Platforms of push tokens, as the newer notifications API names them. */
export declare const PUSH_PLATFORMS: {
    readonly FCM_ANDROID: "FCM_ANDROID";
    readonly FCM_IOS: "FCM_iOS";
    readonly FCM_WEB: "FCM_WEB";
    readonly FCM_FLUTTER_ANDROID: "FCM_FLUTTER_ANDROID";
    readonly FCM_FLUTTER_IOS: "FCM_FLUTTER_iOS";
    readonly FCM_REACT_NATIVE_ANDROID: "FCM_REACT_NATIVE_ANDROID";
    readonly FCM_REACT_NATIVE_IOS: "FCM_REACT_NATIVE_iOS";
    readonly FCM_IONIC_CORDOVA_ANDROID: "FCM_IONIC_CORDOVA_ANDROID";
    readonly FCM_IONIC_CORDOVA_IOS: "FCM_IONIC_CORDOVA_iOS";
    readonly APNS_IOS_DEVICE: "APNS_iOS_DEVICE";
    readonly APNS_IOS_VOIP: "APNS_iOS_VOIP";
    readonly APNS_FLUTTER_DEVICE: "APNS_FLUTTER_DEVICE";
    readonly APNS_FLUTTER_VOIP: "APNS_FLUTTER_VOIP";
    readonly APNS_REACT_NATIVE_DEVICE: "APNS_REACT_NATIVE_DEVICE";
    readonly APNS_REACT_NATIVE_VOIP: "APNS_REACT_NATIVE_VOIP";
    readonly APNS_IONIC_CORDOVA_DEVICE: "APNS_IONIC_CORDOVA_DEVICE";
    readonly APNS_IONIC_CORDOVA_VOIP: "APNS_IONIC_CORDOVA_VOIP";
};
