/** Media of a call. */
export type CallType = "audio" | "video";
/** Who is called: one user, the members of a group, or nobody: a session is entered by its name. */
export type ReceiverType = "user" | "group" | "session";
/** Where a call stands. All but `initiated` and `ongoing` are final. */
export type CallStatus = "initiated" | "ongoing" | "rejected" | "busy" | "cancelled" | "unanswered" | "ended";
/** Where one person stands in a call. */
export type MemberState = "calling" | "ringing" | "accepted" | "joined" | "rejected" | "busy" | "unanswered" | "left";
/** What a track shows or lets hear. */
export type Source = "microphone" | "camera" | "screen" | "screenAudio";
/** A user, as others see them. */
export interface User {
    uid: string;
    name: string;
    avatar: string;
}
/** A group of users. */
export interface Group {
    guid: string;
    name: string;
}
/** A session that people come into by its name, with no ring. */
export interface NamedSession {
    session: string;
    name: string;
}
/** One person of a call. Times are Unix milliseconds. */
export interface Member {
    user: User;
    state: MemberState;
    joinedAt?: number;
    leftAt?: number;
}
/** A call: who rings whom and what became of it. Times are Unix milliseconds. */
export interface Call {
    /** Names the call and its media session. Opaque. */
    sessionId: string;
    type: CallType;
    receiverType: ReceiverType;
    status: CallStatus;
    /** Why an ended call ended: hangup, left, lost, never_joined, ended_for_all, removed, alone, failed; else "". */
    reason: string;
    initiator: User;
    /** A User, a Group or a NamedSession, as `receiverType` says. */
    receiver: User | Group | NamedSession;
    initiatedAt: number;
    ringDeadline: number;
    startedAt?: number;
    endedAt?: number;
    members: Member[];
    metadata?: unknown;
}
/** One track that a participant sends. */
export interface Publication {
    publicationId: string;
    kind: "audio" | "video";
    source: Source;
    muted: boolean;
}
/** How good a call is for a participant. `score` is from 0 to 100. */
export interface Quality {
    score: number;
    grade: "bad" | "poor" | "fair" | "good" | "excellent";
    /** What it suffers from most. */
    cause: "none" | "loss" | "delay" | "freeze" | "frameRate" | "resolution" | "paused";
}
/** A participant as the server describes one. */
export interface ParticipantInfo {
    participantId: string;
    user: User;
    deviceId: string;
    joinedAt: number;
    publications: Publication[];
    quality?: Quality;
    /** When they raised a hand that is still up. */
    raisedAt?: number;
}
/** State of the signaling connection. Media does not depend on it. */
export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "disconnected";
/** Why the signaling connection was given up. */
export interface DisconnectInfo {
    /** `requested`, `unauthorized`, `replaced`, `unsupported_protocol`, `protocol_abuse`, `token_failed`. */
    reason: string;
    /** The WebSocket close code, 0 when there was none. */
    code: number;
}
/** Why a token is asked for. */
export type TokenReason = "connect" | "expiring" | "refused";
/** Gives the app's token for its user. */
export type TokenProvider = (reason: TokenReason) => string | Promise<string>;
/** Where the device id is kept between page loads: one item. */
export interface DeviceStorage {
    /** The id that was saved; null if there is none. */
    load(): string | null | Promise<string | null>;
    /** Keeps the id that the server gave. */
    save(deviceId: string): void | Promise<void>;
}
/** Options of a client. */
export interface ParleyOptions {
    /** The server: `https://host`, `wss://host` or a full WebSocket address. Default: where the page came from. */
    url?: string;
    /** A token, or a function that gets one; only the latter lets the client renew it unasked. */
    token: string | TokenProvider;
    /** Default: `sessionStorage`, so that each tab is a device of its own and stays it through a reload. */
    deviceStorage?: DeviceStorage;
    /** How the client names itself to the server. */
    client?: {
        name: string;
        version: string;
    };
    /** Longest wait for an answer, reconnecting included, in milliseconds. Default 20000. */
    requestTimeoutMs?: number;
    /** Opens the socket; for tests and other runtimes. */
    openSocket?: (url: string) => SocketLike;
}
/** The part of a WebSocket that the client uses. */
export interface SocketLike {
    readonly readyState: number;
    /** Sends one text frame. */
    send(data: string): void;
    /** Begins to close. */
    close(code?: number, reason?: string): void;
    /** Called when the socket is open. */
    onopen: ((event: never) => void) | null;
    /** Called for each text frame. */
    onmessage: ((event: {
        data: unknown;
    }) => void) | null;
    /** Called once, when the socket is gone. */
    onclose: ((event: {
        code: number;
        reason: string;
    }) => void) | null;
    /** Called for an error; `onclose` follows. */
    onerror: ((event: never) => void) | null;
}
/** Events of the client. */
export interface ParleyEvents {
    stateChanged: {
        state: ConnectionState;
        previous: ConnectionState;
    };
    connecting: {
        attempt: number;
    };
    /** `resumed`: no event was lost. Otherwise the client has reconciled its calls with the server's. */
    connected: {
        user: User;
        resumed: boolean;
    };
    reconnecting: {
        attempt: number;
        delayMs: number;
        code: number;
        reason: string;
    };
    disconnected: DisconnectInfo;
    /** The user's calls after a connection that was not resumed: those not over and those that ended lately. */
    snapshot: {
        calls: Call[];
    };
    /** The token runs out and there is no token function: call `renewToken`. */
    tokenExpiring: {
        expiresAt: number;
    };
    /** The server is about to stop: new calls are refused, running ones go on. */
    draining: {
        deadline: number;
    };
}
/** A call event; `by` is who acted, where somebody did. */
export interface CallEvent {
    call: Call;
    by?: User;
}
/** Events of calls. Every one carries the call as it is after the change. */
export interface CallEvents {
    /** Somebody calls this user (also for a call that is found ringing when the client connects). */
    incoming: CallEvent;
    /** Another device of this user started a call. */
    outgoing: CallEvent;
    /** A call that another device of this user started was accepted there or is over: stop showing that it rings. */
    outgoingOver: CallEvent;
    /** A call that this device started was accepted: join its session. */
    accepted: CallEvent;
    /** Another device of this user accepted: stop ringing. */
    answeredElsewhere: CallEvent;
    /** A call that this device started was rejected or met a busy user; `call.status` says which. */
    rejected: CallEvent;
    /** Another device of this user rejected: stop ringing. */
    declinedElsewhere: CallEvent;
    /** The caller gave up: stop ringing. */
    cancelled: CallEvent;
    /** Nobody answered in time. */
    unanswered: CallEvent;
    /** A call to this user was not taken. */
    missed: CallEvent;
    /** A call that this device was in is over. */
    ended: CallEvent;
    /** One member of a group call changed state. */
    member: {
        call: Call;
        uid: string;
        state: MemberState;
    };
}
/** A call to make. */
export interface InitiateOptions {
    receiverId: string;
    receiverType: Exclude<ReceiverType, "session">;
    type: CallType;
    /** 5–300, default 45: after this the server ends the ringing as unanswered. */
    timeoutSeconds?: number;
    /** At most 4 KiB of JSON, handed to everybody in the call. */
    metadata?: unknown;
}
