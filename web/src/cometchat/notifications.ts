import type { PushTarget } from "../sdk/index.js";
import { account } from "./chat.js";
import { PUSH_PLATFORMS } from "./constants.js";
import { CometChatException } from "./exception.js";
import { registerPush, unregisterPush } from "./push-token.js";

/** The newer of CometChat's two ways to register for pushes. */
export class CometChatNotifications {
  static readonly PushPlatforms = PUSH_PLATFORMS;

  /** Registers this device's token. The provider's id is CometChat's and means nothing here: the platform says it. */
  static async registerPushToken(token: string, platform: string, _providerId?: string): Promise<string> {
    const kind = kindOf(platform);
    if (!kind) throw new CometChatException({ code: "ERR_BAD_REQUEST", message: `The platform ${platform} is not known.` });
    return registerPush(account, { kind, token });
  }

  /** Takes back what was registered here; to be called before the sign-out. */
  static unregisterPushToken(): Promise<string> {
    return unregisterPush(account);
  }
}

/** FCM_ANDROID and its like, APNS_IOS_DEVICE, APNS_REACT_NATIVE_VOIP … */
function kindOf(platform: string): Exclude<PushTarget["kind"], "web"> | undefined {
  const name = String(platform).toUpperCase();
  if (name.startsWith("FCM_")) return "fcm";
  if (name.startsWith("APNS_")) return name.endsWith("_VOIP") ? "apnsVoip" : "apns";
  return undefined;
}
