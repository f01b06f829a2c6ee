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
export declare function readInvitation(invitation: string): InvitationContent | undefined;
/**
 * Makes whoever has an invitation a guest of this name. One invitation makes as many guests as it is given to. Rejects with
 * `ERR_UNAUTHORIZED` when it has expired or is not of this server, and with `DISCONNECTED` when the server cannot be reached.
 */
export declare function redeemInvitation(options: {
    invitation: string;
    name: string;
    url?: string;
}): Promise<Admission>;
