/** The newer of CometChat's two ways to register for pushes. */
export declare class CometChatNotifications {
    static readonly PushPlatforms: {
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
    /** Registers this device's token. The provider's id is CometChat's and means nothing here: the platform says it. */
    static registerPushToken(token: string, platform: string, _providerId?: string): Promise<string>;
    /** Takes back what was registered here; to be called before the sign-out. */
    static unregisterPushToken(): Promise<string>;
}
