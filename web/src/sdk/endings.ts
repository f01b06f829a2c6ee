import { ParleyError, codeOf } from "./errors.js";
import type { Call } from "./types.js";

/** Refusals after which trying to join again is of no use. */
const finalRefusals = new Set([
  "ERR_CALL_TERMINATED",
  "ERR_CALL_SESSION_NOT_FOUND",
  "ERR_CALL_USER_ALREADY_JOINED",
  "ERR_CALL_NOT_ALLOWED",
  "ERR_CALL_NOT_ACCEPTED",
  "ERR_ROOM_FULL",
  "NOT_CONNECTED",
  "DISCONNECTED",
  "CLOSED",
]);

/** Whether a refused join is the end of the session. */
export function isFinal(error: unknown): boolean {
  return finalRefusals.has(codeOf(error));
}

/** Why a call that is over is over, in the words of session.closed. */
export function endOf(call: Call): string {
  return call.status === "ended" ? call.reason || "hangup" : call.status;
}

/** Why a session ends whose rejoining was refused, and the call's final state where the server gave it. */
export function endByRefusal(error: unknown): { reason: string; call?: Call } {
  const code = codeOf(error);
  if (code === "ERR_CALL_USER_ALREADY_JOINED") return { reason: "taken_over" };
  if (code === "ERR_CALL_SESSION_NOT_FOUND") return { reason: "ended" };
  const call = error instanceof ParleyError ? (error.details["call"] as Call | undefined) : undefined;
  if (code === "ERR_CALL_TERMINATED") return call ? { reason: endOf(call), call } : { reason: "ended" };
  return { reason: "lost" };
}
