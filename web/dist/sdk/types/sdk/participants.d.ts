import type { ParleyError } from "./errors.js";
import type { PauseReason } from "./session-types.js";
import type { ParticipantInfo, Publication, Quality, Source, User } from "./types.js";
/**
 * Somebody else in the session. The two streams are the same objects from joining to leaving, and tracks come and go in
 * them: set each as an element's `srcObject` once. Read-only for applications.
 */
export declare class RemoteParticipant {
    #private;
    readonly participantId: string;
    readonly user: User;
    readonly deviceId: string;
    /** Unix milliseconds. */
    readonly joinedAt: number;
    /** Camera and microphone. */
    readonly stream: MediaStream;
    /** Screen and screen audio. */
    readonly screen: MediaStream;
    /** How good the call is for them; undefined until the server knows. */
    quality: Quality | undefined;
    /** The server heard them speak last. */
    speaking: boolean;
    /** When they raised their hand, in Unix milliseconds; undefined while it is down. */
    raisedAt: number | undefined;
    constructor(info: ParticipantInfo);
    /** What they send, muted or not. */
    get publications(): readonly Publication[];
    /** The publication of a source, if there is one. */
    publication(source: Source): Publication | undefined;
    /** Whether a source is published and not muted. */
    isOn(source: Source): boolean;
    /** Whether others can hear them, or they are muted. */
    get microphoneOn(): boolean;
    /** Whether they send a camera. */
    get cameraOn(): boolean;
    /** Whether they share a screen. */
    get screenOn(): boolean;
    /** The stream that carries a source. */
    streamOf(source: Source): MediaStream;
    /** Why the server does not send a video of theirs to this device; undefined when it does. */
    pausedBecause(source: Source): PauseReason | undefined;
    /** @internal Notes that a video is paused, or not; false when that was known. */
    setPaused(source: Source, reason: PauseReason | undefined): boolean;
    /** @internal */
    update(info: ParticipantInfo): void;
}
/** This device's own part in a session. */
export declare class LocalParticipant {
    readonly user: User;
    /** Camera only, for a preview; a muted microphone or camera is not in it. */
    readonly stream: MediaStream;
    /** The shared screen. */
    readonly screen: MediaStream;
    /** @internal */
    readonly on: Record<Source, boolean>;
    /** Why a source that was wanted is not sent: no permission, no device, device in use. */
    readonly errors: Map<Source, ParleyError>;
    /** How good the call is for this device's user; undefined until the server knows. */
    quality: Quality | undefined;
    /** The server heard this device's user speak last. */
    speaking: boolean;
    /** When this device raised its hand, in Unix milliseconds; undefined while it is down. */
    raisedAt: number | undefined;
    /** Given by the server on joining; another one after a rejoin. */
    participantId: string;
    constructor(user: User);
    /** Whether this device sends sound. */
    get microphoneOn(): boolean;
    /** Whether this device sends its camera. */
    get cameraOn(): boolean;
    /** Whether this device shares a screen. */
    get screenOn(): boolean;
}
