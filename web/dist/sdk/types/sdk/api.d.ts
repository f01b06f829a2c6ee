import type { Emitter } from "./emitter.js";
import type { LocalParticipant, RemoteParticipant } from "./participants.js";
import type { Devices, JoinOptions, SessionEvents, SessionState } from "./session-types.js";
import type { Call, CallEvents, ConnectionState, InitiateOptions, ParleyEvents, User } from "./types.js";
/** One signed-in device. `new Parley(options)`. */
export declare class Parley extends Emitter<ParleyEvents> {
    constructor(options: import("./types.js").ParleyOptions);
    readonly calls: Calls;
    readonly state: ConnectionState;
    readonly user: User | null;
    readonly deviceId: string | null;
    readonly sessions: readonly Session[];
    /** Resolves at the first connection, rejects if it is refused for good. */
    connect(): Promise<User>;
    disconnect(): void;
    renewToken(token: string): Promise<void>;
    join(sessionId: string, options?: JoinOptions): Promise<Session>;
}
/** Making and taking calls: `client.calls`. */
export declare class Calls extends Emitter<CallEvents> {
    initiate(options: InitiateOptions): Promise<Call>;
    accept(sessionId: string, options?: {
        takeover?: boolean;
    }): Promise<Call>;
    reject(sessionId: string, status?: "rejected" | "busy"): Promise<Call>;
    cancel(sessionId: string): Promise<Call>;
    end(sessionId: string, options?: {
        forAll?: boolean;
    }): Promise<Call>;
    get(sessionId: string): Promise<Call>;
    active(): Promise<Call[]>;
}
/** The media of a call: `await client.join(sessionId)`. */
export declare class Session extends Emitter<SessionEvents> {
    readonly sessionId: string;
    readonly state: SessionState;
    readonly call: Call;
    readonly local: LocalParticipant;
    readonly participants: readonly RemoteParticipant[];
    readonly devices: Readonly<Devices>;
    setMicrophone(on: boolean): Promise<void>;
    setCamera(on: boolean): Promise<void>;
    shareScreen(options?: {
        audio?: boolean;
    }): Promise<void>;
    stopScreenShare(): Promise<void>;
    switchMicrophone(deviceId: string): Promise<void>;
    switchCamera(deviceId?: string): Promise<void>;
    sendData(message: {
        topic: string;
        payload: unknown;
        to?: string[];
    }): boolean;
    getStats(): Promise<import("./stats.js").SessionStats>;
    /** Plays the remote sound and pictures through an element of yours; gives back the undo. */
    attach(element: HTMLMediaElement, stream: MediaStream): () => void;
    leave(): Promise<void>;
    /** For tests and diagnosis. */
    readonly peerConnection: RTCPeerConnection | null;
    restartIce(): void;
}
