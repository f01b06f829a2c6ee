import type { PushTarget } from "../sdk/index.js";
import type { Account } from "./account.js";
/** What registerTokenForPushNotification is given beside the token; `voip` is CometChat's own word for a PushKit token. */
export interface PushSettings {
    voip?: boolean;
    sandbox?: boolean;
}
export declare function registerPush(account: Account, target: PushTarget): Promise<string>;
export declare function unregisterPush(account: Account): Promise<string>;
/** What a token is: a browser's subscription, a PushKit token if the app says so, hexadecimal from Apple, else Firebase's. */
export declare function targetOf(token: string | PushSubscription | PushSubscriptionJSON, settings?: PushSettings): PushTarget;
