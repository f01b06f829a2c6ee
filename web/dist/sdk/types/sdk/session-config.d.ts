import type { SessionRights } from "./rights.js";
import type { EnterOptions } from "./session-types.js";
import type { Call, CallType, ParticipantInfo, User } from "./types.js";
/** What a session gets from the client that it belongs to. */
export interface SessionConfig {
    /** The call's id, or the name of a session to enter. */
    place: {
        sessionId: string;
    } | {
        name: string;
    };
    user: User;
    options: EnterOptions;
    /** What this device may publish is known from the answer to joining only: no device is opened before. */
    asksRights: boolean;
    /** Type of the call, where it is known already. */
    callType?: CallType;
    mutate<T>(method: string, params: object): Promise<T>;
    request<T>(method: string, params: object): Promise<T>;
    /** Whether signaling is up. */
    online(): boolean;
    /** Finds out soon whether signaling still lives, and replaces its socket if not. */
    probe(): void;
    joined(call: Call): void;
    endForAll(sessionId: string): Promise<unknown>;
}
/** The answer to session.join. */
export interface JoinResult {
    participantId: string;
    call: Call;
    participants: ParticipantInfo[];
    iceServers: RTCIceServer[];
    pairs: number;
    videoCodec: string;
    rights?: SessionRights;
}
