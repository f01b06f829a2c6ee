import { Emitter } from "./emitter.js";
import { LocalParticipant, type RemoteParticipant } from "./participants.js";
import { type SessionRights } from "./rights.js";
import { type SessionStats } from "./stats.js";
import type { SessionConfig } from "./session-config.js";
import type { Devices, SessionEvents, SessionState, SlotWish } from "./session-types.js";
import type { Call, Source } from "./types.js";
/**
 * The media of one call on this device: who is there, what they send, what this device sends. It repairs its connection by
 * itself and says so; it ends once, with `closed`, whatever the reason.
 */
export declare class Session extends Emitter<SessionEvents> {
    #private;
    /** This device's own part. */
    readonly local: LocalParticipant;
    /** @internal Made by Parley.join. */
    constructor(config: SessionConfig);
    /** The id of the call, which another session of the same name does not have. Known as soon as `join` or `enter` has resolved. */
    get sessionId(): string;
    /** Where the session stands; `closed` is final. */
    get state(): SessionState;
    /** The call as the server last described it. Known as soon as `join` has resolved. */
    get call(): Call;
    /** What this device may do here; every source and no moderating until it is joined. */
    get rights(): SessionRights;
    /** Who has a hand up, the longest first; this device, too. */
    get hands(): readonly (RemoteParticipant | LocalParticipant)[];
    /** @internal Whether the call is known. */
    get joined(): boolean;
    /** Everybody else who is in the session. */
    get participants(): readonly RemoteParticipant[];
    /** The devices that were chosen. */
    get devices(): Readonly<Devices>;
    /** The PeerConnection in use, for diagnosis; it changes with a rejoin. */
    get peerConnection(): RTCPeerConnection | null;
    /** @internal Joins and negotiates; resolves after the first answer. */
    start(): Promise<void>;
    /** Mutes or unmutes the microphone; opens or publishes it first where needed. */
    setMicrophone(on: boolean): Promise<void>;
    /** Turns the camera on or off; off closes the device, so that its light goes out. */
    setCamera(on: boolean): Promise<void>;
    /** Asks the user for a screen or window and shares it, with its sound where the browser offers that. */
    shareScreen(options?: {
        audio?: boolean;
    }): Promise<void>;
    /** Ends the screen share. */
    stopScreenShare(): Promise<void>;
    /** Raises this device's hand, for everybody to see. */
    raiseHand(): Promise<void>;
    /** Lowers this device's hand; a moderator may name somebody else's. */
    lowerHand(participantId?: string): Promise<void>;
    /** Asks somebody's client to mute what they publish, for moderators. They may unmute it again. */
    muteParticipant(participantId: string, source?: Source): Promise<void>;
    /** Puts somebody out of the call for good, for moderators. */
    expel(participantId: string): Promise<void>;
    /** Ends the call for everybody, for moderators; this session closes by itself. */
    endForAll(): Promise<void>;
    /** Uses another microphone. */
    switchMicrophone(deviceId: string): Promise<void>;
    /** Uses another camera; without an id, the next one that there is. */
    switchCamera(deviceId?: string): Promise<void>;
    /** Plays the session through another speaker, where the browser can. Concerns elements given to `attach`. */
    switchSpeaker(deviceId: string): Promise<void>;
    /** Plays a participant's stream through an element, also after the browser first refused; gives back the undo. */
    attach(element: HTMLMediaElement, stream: MediaStream): () => void;
    /**
     * Says what can be used of somebody's camera or screen: for applications that draw it themselves, and to pause or pin one. What
     * a wish leaves out is found out from the elements that were given to `attach`; null takes it back.
     */
    setSlotWish(participantId: string, source: "camera" | "screen", wish: SlotWish | null): void;
    /** The participant id of who spoke last, this device's own too; "" until somebody has. */
    get speakerId(): string;
    /** Starts playing what the browser refused to; call it from a click. */
    resumePlayback(): Promise<void>;
    /**
     * Sends JSON to everybody in the session, or to `to`. What cannot go at once, because the data channel is not open yet or the
     * session is being repaired, waits and keeps its order: up to 64 messages and 256 KiB, beyond which this throws
     * `DATA_QUEUE_FULL`. False if the message is over 16 KiB or the session is over.
     */
    sendData(message: {
        topic: string;
        payload: unknown;
        to?: string[];
    }): boolean;
    /** What is sent and received, per track. */
    getStats(): Promise<SessionStats>;
    /** Restarts ICE now; the session does this by itself when it loses its connection. */
    restartIce(): void;
    /** Leaves: devices close at once, the server is told. A call of two ends with it. */
    leave(): Promise<void>;
    /** @internal Ends the session on this device. */
    end(reason: string, call?: Call): void;
    /** @internal The call of this session has changed. */
    callChanged(call: Call): void;
    /** @internal The socket is back. Without a resume the server may have forgotten this session, or gone on without it. */
    signalingRestored(resumed: boolean, call?: Call): void;
    /** @internal Takes a `session.*` event. */
    hear(name: string, data: unknown): void;
    /** @internal Takes one that may be of this session, of which only the name is known so far. */
    hearEarly(sessionId: string, name: string, data: unknown): void;
}
