import type { ParleyError } from "./errors.js";
import type { LocalParticipant, RemoteParticipant } from "./participants.js";
import type { Call, CallType, Quality, Source, User } from "./types.js";
/** Which devices to use; a missing one means the browser's default. */
export interface Devices {
    microphoneId?: string;
    cameraId?: string;
    speakerId?: string;
}
/** Options of joining a session. */
export interface JoinOptions {
    /** Publish a microphone. Default true. */
    audio?: boolean;
    /** Publish a camera. Default: whether the call is a video call. */
    video?: boolean;
    devices?: Devices;
    /** Join with the microphone muted. */
    startAudioMuted?: boolean;
    /** Join with the camera off; it is not even opened then. */
    startVideoPaused?: boolean;
    /** Take the seat over from another device of this user. */
    takeover?: boolean;
    /** `relay`: media goes through the TURN server only. */
    iceTransportPolicy?: RTCIceTransportPolicy;
    /** Use no UDP: TURN over TCP or TLS if relayed, otherwise the server's TCP candidates. */
    forceTcp?: boolean;
    /** Send videos in several sizes, so that each receiver gets what fits. Default true. */
    simulcast?: boolean;
    /** May change the ICE servers that the server named. */
    iceServers?: (servers: RTCIceServer[]) => RTCIceServer[];
}
/** Options of entering a named session. `type` and `metadata` count when it begins with this device. */
export interface EnterOptions extends JoinOptions {
    /** Default `video`. */
    type?: CallType;
    /** At most 4 KiB of JSON, handed to everybody in the session. */
    metadata?: unknown;
}
/** `connecting` until media flows the first time, `reconnecting` while it is lost. */
export type SessionState = "connecting" | "connected" | "reconnecting" | "closed";
/** Why a session is over: a reason of docs/protocol.md, or `left` when this device left. */
export interface SessionClosed {
    reason: string;
    call: Call;
}
/** A data message; `from` is absent when its sender has left already. */
export interface DataMessage {
    from?: RemoteParticipant;
    participantId: string;
    topic: string;
    payload: unknown;
}
/** A track has appeared in, or gone from, one of a participant's two streams. */
export interface TrackEvent {
    participant: RemoteParticipant;
    source: Source;
    track: MediaStreamTrack;
    stream: MediaStream;
}
/** What can be used of somebody's video. What is left out is found out from the elements given to `attach`. */
export interface SlotWish {
    /** Device pixels on the screen. */
    width?: number;
    height?: number;
    /** The most frames a second that are shown. */
    frameRate?: number;
    /** Out of sight. */
    hidden?: boolean;
    /** Not wanted by the user. */
    paused?: boolean;
    /** Wanted before the others. */
    pinned?: boolean;
}
/** Why a video is not sent: the network is too weak, it is out of sight, the user paused it, its publisher sends nothing. */
export type PauseReason = "bandwidth" | "hidden" | "paused" | "absent";
/** A hand went up or down. */
export interface HandChange {
    participant: RemoteParticipant | LocalParticipant;
    raised: boolean;
}
/** Events of a session. */
export interface SessionEvents {
    stateChanged: {
        state: SessionState;
        previous: SessionState;
    };
    participantJoined: {
        participant: RemoteParticipant;
    };
    participantLeft: {
        participant: RemoteParticipant;
        reason: string;
    };
    /** Publications or mute state of a participant changed. */
    participantUpdated: {
        participant: RemoteParticipant;
    };
    trackAdded: TrackEvent;
    trackRemoved: TrackEvent;
    /** This device's microphone, camera or screen changed. */
    localChanged: {
        source: Source;
        on: boolean;
    };
    /** A device could not be used; the session goes on without it. What failed while joining is in `session.local.errors`. */
    mediaError: {
        source: Source;
        error: ParleyError;
    };
    data: DataMessage;
    /** The browser waits for a click or key before it plays sound (`true`), or has started (`false`). */
    playbackBlocked: {
        blocked: boolean;
    };
    /** Another participant speaks; undefined: this device's own user, or somebody who has left. `voices` are those who are heard. */
    speakersChanged: {
        speaker?: RemoteParticipant;
        speakerId: string;
        voices: string[];
    };
    /** The grade of a participant's call changed, or of this device's own. */
    qualityChanged: {
        participant: RemoteParticipant | LocalParticipant;
        quality: Quality;
    };
    /** The server stopped sending somebody's video to this device, or started again; `reason` is "" then. */
    videoPaused: {
        participant: RemoteParticipant;
        source: Source;
        paused: boolean;
        reason: PauseReason | "";
    };
    /** A hand was raised, or lowered by its owner or a moderator. */
    handChanged: HandChange;
    /** A moderator has muted this device: it is off by now, and may be turned on again. `by.uid` is "" for the operator. */
    mutedByModerator: {
        source: Source;
        by: User;
    };
    /** Media stopped; the session is being repaired. */
    connectionLost: {
        reason: string;
    };
    /** Media flows again. */
    connectionRestored: Record<string, never>;
    /** The end of the session, once, whatever ended it. */
    closed: SessionClosed;
}
