import type { PushTarget } from "../sdk/index.js";
import type { Account } from "./account.js";
import { CometChatException } from "./exception.js";

/** What registerTokenForPushNotification is given beside the token; `voip` is CometChat's own word for a PushKit token. */
export interface PushSettings {
  voip?: boolean;
  sandbox?: boolean;
}

/** The registrations of the user that is signed in here, as far as they were made here. */
let registered: string[] = [];

export async function registerPush(account: Account, target: PushTarget): Promise<string> {
  try {
    const { registrationId } = await account.need().pushes.register(target);
    if (!registered.includes(registrationId)) registered.push(registrationId);
    return "Token registered for push notifications.";
  } catch (error) {
    throw CometChatException.from(error);
  }
}

export async function unregisterPush(account: Account): Promise<string> {
  try {
    const client = account.need();
    const ids = registered;
    registered = []; // whoever signs in next has registered nothing
    for (const id of ids) await client.pushes.unregister(id);
    return "Token unregistered from push notifications.";
  } catch (error) {
    throw CometChatException.from(error);
  }
}

/** What a token is: a browser's subscription, a PushKit token if the app says so, hexadecimal from Apple, else Firebase's. */
export function targetOf(token: string | PushSubscription | PushSubscriptionJSON, settings: PushSettings = {}): PushTarget {
  if (typeof token !== "string") return { kind: "web", subscription: token };
  const { voip, sandbox } = settings;
  if (voip) return { kind: "apnsVoip", token, sandbox };
  if (/^[0-9a-f]{64,}$/i.test(token)) return { kind: "apns", token, sandbox };
  return { kind: "fcm", token };
}
