import { httpAddress } from "./address.js";
import { ParleyError } from "./errors.js";
import type { Source, User } from "./types.js";

/** What an invitation says of itself. Read without checking it, which only its server can. */
export interface InvitationContent {
  /** The named session that it is for. */
  session: string;
  /** Unix milliseconds. */
  expiresAt: number;
  /** The sources that a guest may publish; absent: all. */
  publish?: Source[];
}

/** A guest's way into a session: a token for `new Parley`, and the name for `enter`. */
export interface Admission {
  token: string;
  /** Unix milliseconds; until then the guest may connect again. */
  expiresAt: number;
  user: User;
  session: string;
}

/** Reads an invitation, or a token for one session; undefined for what is none. */
export function readInvitation(invitation: string): InvitationContent | undefined {
  try {
    const payload = invitation.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
    const { session, exp } = JSON.parse(new TextDecoder().decode(bytes)) as { session?: { id?: unknown; publish?: Source[] }; exp?: unknown };
    if (typeof session?.id !== "string" || typeof exp !== "number") return undefined;
    return { session: session.id, expiresAt: exp * 1000, ...(Array.isArray(session.publish) && { publish: session.publish }) };
  } catch {
    return undefined;
  }
}

/**
 * Makes whoever has an invitation a guest of this name. One invitation makes as many guests as it is given to. Rejects with
 * `ERR_UNAUTHORIZED` when it has expired or is not of this server, and with `DISCONNECTED` when the server cannot be reached.
 */
export async function redeemInvitation(options: { invitation: string; name: string; url?: string }): Promise<Admission> {
  const { invitation, name, url } = options;
  let response: Response;
  try {
    response = await fetch(`${httpAddress(url, globalThis.location)}/v1/invitations/redeem`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ invitation, name }),
    });
  } catch {
    throw new ParleyError("DISCONNECTED", "The server cannot be reached.");
  }
  const body = (await response.json().catch(() => ({}))) as Partial<Admission> & { code?: string; detail?: string; field?: string };
  if (response.ok && body.token && body.user && body.session) {
    const { token, user, session, expiresAt = 0 } = body;
    return { token, user, session, expiresAt };
  }
  throw new ParleyError(body.code ?? "ERR_INTERNAL", body.detail ?? `The server answered ${response.status}.`, body.field ?? "");
}
