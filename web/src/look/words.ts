// Codes, statuses and times in words for people.

const closings: Record<string, string> = {
  rejected: "Call declined",
  busy: "Busy in another call",
  cancelled: "Call cancelled",
  unanswered: "No answer",
  hangup: "Call ended",
  left: "Call ended",
  left_group: "You left the call",
  ended: "Call ended",
  ended_for_all: "The call was ended for everyone",
  lost: "Connection lost",
  never_joined: "The other side could not connect",
  removed: "You were removed from this call",
  alone: "Nobody else was there, so the call has ended",
  taken_over: "You continued this call on another device",
  answered_elsewhere: "Answered on another device",
  declined_elsewhere: "Declined on another device",
  media_failed: "Audio and video could not connect",
  dtls_fingerprint_mismatch: "The connection was not secure and was closed",
  server_shutdown: "The server is restarting",
  server_error: "The server had a problem",
  failed: "The call failed",
};

/** How a call ended. who is the other side's name, used where it makes the sentence clearer. */
export function closingWords(reason: string, who = ""): string {
  if (who) {
    if (reason === "rejected") return `${who} declined`;
    if (reason === "busy") return `${who} is in another call`;
    if (reason === "unanswered") return `${who} didn't answer`;
    if (reason === "never_joined") return `${who} could not connect`;
  }
  return closings[reason] ?? "Call ended";
}

const errors: Record<string, string> = {
  ERR_UID_NOT_FOUND: "Nobody with that name is known here.",
  ERR_GUID_NOT_FOUND: "There is no such group.",
  ERR_GROUP_NOT_JOINED: "You are not a member of that group.",
  ERR_CALLING_SELF: "That is you. Call somebody else.",
  ERR_EMPTY_RECEIVER: "Say whom to call.",
  ERR_BLOCKED_RECEIVER: "You have blocked them. Unblock them to call.",
  ERR_BLOCKED_SENDER: "They take no calls from you.",
  ERR_TOO_MANY_BLOCKED: "You have blocked as many people as you may. Unblock somebody first.",
  ERR_CALL_NOT_ALLOWED: "You may not do this here.",
  ERR_CALL_BUSY_SELF: "You are in another call already.",
  ERR_CALL_BUSY_GROUP: "That group is in a call already.",
  ERR_CALL_TOO_MANY_RINGS: "You have rung them too often. Wait a little.",
  ERR_CALL_SESSION_NOT_FOUND: "That call no longer exists.",
  ERR_CALL_TERMINATED: "That call is already over.",
  ERR_CALL_USER_ALREADY_JOINED: "You are in this call on another device.",
  ERR_TOO_MANY_REQUESTS: "Too fast for the server. Try again in a moment.",
  ERR_TOKEN_EXPIRED: "Your sign-in has run out. Sign in again.",
  ERR_DRAINING: "The server is about to restart and takes no new calls.",
  ERR_ROOM_FULL: "This call is full.",
  ERR_INTERNAL: "The server had a problem. Try again.",
  NOT_CONNECTED: "There is no connection to the server.",
  TIMEOUT: "The server did not answer in time.",
  DISCONNECTED: "The connection to the server was lost.",
  CLOSED: "The connection was closed.",
  MEDIA_NOT_ALLOWED: "The browser may not use your microphone or camera. Allow it beside the address, then try again.",
  MEDIA_NOT_FOUND: "No microphone or camera was found.",
  MEDIA_IN_USE: "Another program is using your microphone or camera.",
  MEDIA_UNSUPPORTED: "This browser cannot use microphone and camera here. They need HTTPS or localhost.",
  MEDIA_FAILED: "The microphone or camera could not be started.",
};

/** Any failure as one sentence. */
export function errorWords(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
  if (typeof code === "string" && errors[code]) return errors[code];
  return message || "Something went wrong. Try again.";
}

/** Why the server connection was given up; the reason is of the SDK's disconnected event. */
export function goneWords(reason: string): string {
  if (reason === "replaced") return "This tab's connection was taken over by another one.";
  if (reason === "unauthorized" || reason === "token_failed") return "Your sign-in is not valid, or no longer. Sign in again.";
  if (reason === "unsupported_protocol") return "This page is older than the server. Reload it.";
  return "The connection to the server was closed.";
}

/** Why a picture stands still, to be said over it; "" when there is nothing to say. */
export function pauseWords(what: "Video" | "Screen", reason: string | undefined): string {
  if (reason === "bandwidth") return `${what} paused: weak network`;
  if (reason === "paused") return `${what} paused`;
  return "";
}

/** Milliseconds as m:ss or h:mm:ss. */
export function clock(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const seconds = String(total % 60).padStart(2, "0");
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A length of time for the ear: "2 minutes 5 seconds". */
export function spokenLength(milliseconds: number): string {
  const total = Math.max(0, Math.round(milliseconds / 1000));
  const minutes = Math.floor(total / 60);
  const parts = [minutes && plural(minutes, "minute"), (total % 60 || !minutes) && plural(total % 60, "second")];
  return parts.filter(Boolean).join(" ");
}

/** "1 person", "3 people" and the like; many defaults to one + s. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A moment near now: "14:05", "yesterday", "3 May". */
export function dayWords(at: number, now = Date.now()): string {
  const then = new Date(at);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) {
    return then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }
  today.setDate(today.getDate() - 1);
  if (then.toDateString() === today.toDateString()) return "yesterday";
  return then.toLocaleDateString([], { day: "numeric", month: "short" });
}
