// The service worker of the call page: it rings when no page is open. It caches nothing and answers no requests.

import { missed, shownFor, type Card, type Push, type Shown, type Wish } from "./pushed.js";
import { standingBy } from "./standby.js";

/** The parts of a service worker's global that are used here; TypeScript's DOM library has none of them. */
interface WorkerScope {
  registration: { showNotification(title: string, options: Shown["options"]): Promise<void> };
  clients: {
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<Page[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}

interface Page {
  postMessage(message: unknown, ports: MessagePort[]): void;
  focus(): Promise<unknown>;
}

interface WorkerEvent {
  waitUntil(work: Promise<unknown>): void;
  data?: { json(): unknown } | null;
  action?: string;
  notification: { data: Card; close(): void };
}

const scope = globalThis as unknown as WorkerScope;

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("push", (event) => event.waitUntil(pushed(read(event))));
scope.addEventListener("notificationclick", (event) => event.waitUntil(clicked(event)));

function read(event: WorkerEvent): Push {
  try {
    return (event.data?.json() ?? {}) as Push;
  } catch {
    return {};
  }
}

async function pushed(push: Push): Promise<void> {
  const shown = shownFor(push, Date.now());
  if (!shown) return;
  await scope.registration.showNotification(shown.title, shown.options);
  // A push may come late. The server knows whether it still rings; until it has answered, it does.
  if ((shown.options.data as Card).rings && (await isOver(push.sessionId!))) {
    const { title, options } = missed(push);
    await scope.registration.showNotification(title, options);
  }
}

/** Whether the server says that a call rings here no more. */
async function isOver(sessionId: string): Promise<boolean> {
  const answer = await ask("GET", sessionId);
  if (!answer?.ok) return false;
  const who = await standingBy();
  const { call } = (await answer.json()) as { call: { status: string; members: { user: { uid: string }; state: string }[] } };
  const mine = call.members.find(({ user }) => user.uid === who?.uid);
  return mine !== undefined && mine.state !== "ringing";
}

async function clicked({ action, notification }: WorkerEvent): Promise<void> {
  const { sessionId, rings } = notification.data;
  notification.close();
  const wish: Wish = action === "decline" ? "decline" : action === "accept" ? "answer" : "show";
  for (const page of await scope.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    if (!(await granted(page, wish, sessionId))) continue;
    if (wish !== "decline") await page.focus();
    return;
  }
  if (wish === "decline") await ask("POST", sessionId, "/reject", { status: "rejected" });
  else await scope.clients.openWindow(rings ? `/#${wish}=${sessionId}` : "/");
}

/** How long an open page may take to say whether the call is its own. */
const pageMilliseconds = 500;

/** Asks an open page to do something about a call; false if the call does not ring there. */
function granted(page: Page, wish: Wish, sessionId: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data === true);
    setTimeout(() => resolve(false), pageMilliseconds);
    page.postMessage({ parley: wish, sessionId }, [port2]);
  });
}

/** One REST request for whom this browser rings. */
async function ask(method: string, sessionId: string, path = "", body?: object): Promise<Response | undefined> {
  const who = await standingBy();
  if (!who) return undefined;
  const headers = { authorization: `Bearer ${who.token}`, ...(body && { "content-type": "application/json" }) };
  const url = `/v1/calls/${encodeURIComponent(sessionId)}${path}`;
  return fetch(url, { method, headers, body: body && JSON.stringify(body) }).catch(() => undefined);
}
