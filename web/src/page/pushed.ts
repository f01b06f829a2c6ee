// What a push puts on the screen. Decides only; the service worker shows it.

/** The keys of a push that the page uses; docs/push.md has all of them. */
export interface Push {
  type?: string;
  callAction?: string;
  sessionId?: string;
  callType?: string;
  title?: string;
  body?: string;
  senderAvatar?: string;
  /** Unix milliseconds, as text. */
  sentAt?: string;
  expiresAt?: string;
}

/** Options that browsers know and TypeScript's DOM does not. */
export interface Shown {
  title: string;
  options: NotificationOptions & { actions?: { action: string; title: string }[]; renotify?: boolean; vibrate?: number[]; timestamp?: number };
}

/** What travels with a notification to its click. */
export interface Card {
  sessionId: string;
  rings: boolean;
}

/** The notification for a push, undefined for one that is not about a call. All of a call's have one tag: each takes the place of the one before. */
export function shownFor(push: Push, now: number): Shown | undefined {
  const { sessionId } = push;
  if (push.type !== "call" || !sessionId) return undefined;
  if (push.callAction === "initiated") return now < Number(push.expiresAt) ? ring(push, sessionId) : missed(push);
  if (push.callAction === "cancelled" || push.callAction === "unanswered" || push.callAction === "missed") return missed(push);
  return card(push, push.body ?? "", { silent: true });
}

/** A call that is over before it was looked at. */
export function missed(push: Push): Shown {
  return card(push, `Missed ${kind(push)} call`, { silent: push.callAction !== "missed" });
}

function ring(push: Push, sessionId: string): Shown {
  return card(push, `Incoming ${kind(push)} call`, {
    requireInteraction: true,
    renotify: true,
    vibrate: [400, 200, 400, 200, 400],
    actions: [
      { action: "accept", title: "Accept" },
      { action: "decline", title: "Decline" },
    ],
    data: { sessionId, rings: true } satisfies Card,
  });
}

function card(push: Push, body: string, options: Shown["options"]): Shown {
  const { senderAvatar, sessionId = "", sentAt } = push;
  const icon = senderAvatar?.startsWith("https://") ? senderAvatar : undefined;
  return {
    title: push.title || "Parley",
    options: { body, tag: sessionId, icon, timestamp: Number(sentAt) || undefined, data: { sessionId, rings: false } satisfies Card, ...options },
  };
}

function kind(push: Push): string {
  return push.callType === "audio" ? "audio" : "video";
}

/** What a click on a notification asks of a page. */
export type Wish = "answer" | "decline" | "show";

/** The wish in the address that a notification has opened, such as #answer=… */
export function wishOf(hash: string): { wish: Wish; sessionId: string } | undefined {
  const [, wish, sessionId] = /^#(answer|show)=([A-Za-z0-9._:-]{1,128})$/.exec(hash) ?? [];
  return wish && sessionId ? { wish: wish as Wish, sessionId } : undefined;
}
