// Ringing while the page is closed: the browser's subscription at its push service, and who it is for. What the service worker
// has to know when no page is open is in the cache storage, which both can read.

import type { Parley } from "../sdk/index.js";
import type { ServerConfig } from "./api.js";

/** For whom this browser rings, and a token to answer for them. */
export interface Standby {
  uid: string;
  token: string;
}

const cacheName = "parley-standby";
const address = "/standby";

/** For whom this browser rings when no page is open; undefined for nobody. */
export async function standingBy(): Promise<Standby | undefined> {
  try {
    const kept = await (await caches.open(cacheName)).match(address);
    return kept ? ((await kept.json()) as Standby) : undefined;
  } catch {
    return undefined;
  }
}

/** Notes a newer token of whom this browser rings for. */
export async function refreshStandby(uid: string, token: string): Promise<void> {
  if ((await standingBy())?.uid === uid) await keep({ uid, token });
}

/** Whether this browser and this server can do it at all. */
export function canStandBy(config: ServerConfig): boolean {
  return Boolean(config.vapidPublicKey) && "serviceWorker" in navigator && "PushManager" in window && "caches" in window;
}

/** Has this browser ring for the client's user from now on, or says why not. It must follow a click: the browser asks the user. */
export async function standBy(client: Parley, config: ServerConfig, who: Standby): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("This browser does not allow notifications from this page.");
  const worker = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  await client.pushes.register({ kind: "web", subscription: await subscribe(worker, config.vapidPublicKey!) });
  await keep(who);
}

/** Ends it. */
export async function standDown(client: Parley): Promise<void> {
  await (await caches.open(cacheName)).delete(address);
  const worker = await navigator.serviceWorker.getRegistration("/sw.js");
  const subscription = await worker?.pushManager.getSubscription();
  if (subscription) {
    const { registrationId } = await client.pushes.register({ kind: "web", subscription }); // again is the same: it tells the id
    await client.pushes.unregister(registrationId);
    await subscription.unsubscribe();
  }
}

/** Takes the notification of a call off the screen: the page itself has it now. */
export async function clearNotification(sessionId: string): Promise<void> {
  const worker = await navigator.serviceWorker?.getRegistration("/sw.js").catch(() => undefined);
  for (const shown of (await worker?.getNotifications({ tag: sessionId })) ?? []) shown.close();
}

async function subscribe(worker: ServiceWorkerRegistration, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await worker.pushManager.subscribe(options);
  } catch (error) {
    const old = await worker.pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe(); // of another key: the server has changed its own
    return worker.pushManager.subscribe(options);
  }
}

async function keep(who: Standby): Promise<void> {
  await (await caches.open(cacheName)).put(address, new Response(JSON.stringify(who)));
}
