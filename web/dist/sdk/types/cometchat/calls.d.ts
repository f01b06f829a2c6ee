import { type ConnectionTest, type ConnectionTestOptions } from "../sdk/index.js";
import { CallLog, CallLogRequestBuilder } from "./call-log.js";
import { CometChatException } from "./exception.js";
import { OngoingCallListener, type Callbacks } from "./listeners.js";
import type { User } from "./people.js";
import { CallAppSettingsBuilder, CallSettingsBuilder, SessionSettingsBuilder, type Options } from "./settings.js";
/** What joining answers: CometChat's newer SDK does not reject, it fills in `error`. */
export interface JoinAnswer {
    data: {
        sessionId: string;
    } | null;
    error: CometChatException | null;
}
/** The token of a session, as `generateToken` gives it. */
export type Token = string | {
    token: string;
};
/** The shape of CometChat's Calls SDK, on a Parley server. */
export declare class CometChatCalls {
    static readonly SessionSettingsBuilder: typeof SessionSettingsBuilder;
    static readonly CallSettingsBuilder: typeof CallSettingsBuilder;
    static readonly CallAppSettingsBuilder: typeof CallAppSettingsBuilder;
    static readonly CallLogRequestBuilder: typeof CallLogRequestBuilder;
    static readonly OngoingCallListener: typeof OngoingCallListener;
    static readonly SessionType: {
        readonly VIDEO: "VIDEO";
        readonly VOICE: "VOICE";
        readonly AUDIO: "AUDIO";
    };
    static readonly SESSION_TYPE: {
        readonly VIDEO: "VIDEO";
        readonly VOICE: "VOICE";
        readonly AUDIO: "AUDIO";
    };
    static readonly LAYOUT: {
        readonly TILE: "TILE";
        readonly SIDEBAR: "SIDEBAR";
        readonly SPOTLIGHT: "SPOTLIGHT";
    };
    /** Android's way to the running session. */
    static readonly CallSession: {
        /** The running session's methods, which are this class's. */
        getInstance: () => typeof CometChatCalls;
    };
    /** Says which server to use; without settings the one of `CometChat.init` stays. */
    static init(settings?: Options): Promise<{
        success: boolean;
        error: null;
    }>;
    /** Signs in by uid and auth key, on a server with open login. */
    static login(uid: string, authKey: string): Promise<User>;
    /** Signs in with a JWT of your back end. */
    static loginWithAuthToken(token: string): Promise<User>;
    /** Signs out. */
    static logout(): Promise<void>;
    /** Who is signed in; null if nobody is. */
    static getLoggedInUser(): User | null;
    /** Whether somebody is signed in. */
    static isUserLoggedIn(): boolean;
    /** The token that this device signed in with, or the one that replaced it; null if nobody is signed in. */
    static getUserAuthToken(): string | null;
    /** Hears of signing in and out, here or in CometChat. A listener of the same id is replaced. */
    static addLoginListener(listenerId: string, listener: Callbacks): void;
    /** Takes the listener of an id away. */
    static removeLoginListener(listenerId: string): void;
    /** CometChat's token opens one session; here being signed in does, so the token is the session's id. */
    static generateToken(sessionId: string, _authToken?: string): Promise<{
        token: string;
        sessionId: string;
    }>;
    /** Joins a session and shows it in `element`; resolves in any case and says how it went. */
    static joinSession(token: Token, settings?: Options, element?: HTMLElement | null): Promise<JoinAnswer>;
    /** The name of `joinSession` in the older SDK. */
    static startSession(token: Token, settings?: Options, element?: HTMLElement | null): Promise<JoinAnswer>;
    /** Leaves the session; a call of two ends with it. */
    static leaveSession(): Promise<void>;
    /** The same as `leaveSession`. */
    static endSession(): Promise<void>;
    /** Ends a group call for everybody, for those who may. */
    static endSessionForAll(): Promise<void>;
    /** Raises this user's hand. */
    static raiseHand(): Promise<void>;
    /** Lowers this user's hand. */
    static lowerHand(): Promise<void>;
    /** Raises the hand, or lowers it. */
    static toggleHand(): Promise<void>;
    /** Mutes a participant's microphone, for moderators. */
    static muteParticipant(participantId: string): Promise<void>;
    /** Turns a participant's camera off, for moderators. */
    static pauseParticipantVideo(participantId: string): Promise<void>;
    /** Keeps a participant's picture large here, and sent before others' when the network is narrow. */
    static pinParticipant(participantId: string, _type?: string): Promise<void>;
    /** Takes that back. */
    static unpinParticipant(): Promise<void>;
    /** TILE, SIDEBAR or SPOTLIGHT, for this viewer. */
    static setLayout(layout: string): Promise<void>;
    /** Shows the list of participants under the tiles. */
    static showParticipantList(): Promise<void>;
    /** Hides the list of participants. */
    static hideParticipantList(): Promise<void>;
    /** Shows the list of participants, or hides it. */
    static toggleParticipantList(): Promise<void>;
    /** Floats the large picture over other windows, where the browser can; needs a click. */
    static enablePictureInPictureLayout(): Promise<void>;
    /** Brings the picture back. */
    static disablePictureInPictureLayout(): Promise<void>;
    /** A call of this user's log, in a list as CometChat gives it; empty for one that the log does not have. */
    static getCallDetails(sessionId: string, _authToken?: string): Promise<CallLog[]>;
    /** Whether this page is in a session. */
    static isSessionActive(): boolean;
    /** Not of CometChat: tries the connection to the server in every way that a call could take. */
    static connectionTest(options?: ConnectionTestOptions): Promise<ConnectionTest>;
    /** Mutes the microphone. */
    static muteAudio(): Promise<void>;
    /** Unmutes the microphone. */
    static unMuteAudio(): Promise<void>;
    /** The same as `unMuteAudio`. */
    static unmuteAudio(): Promise<void>;
    /** Mutes or unmutes the microphone. */
    static toggleAudio(): Promise<void>;
    /** Turns the camera off; its light goes out. */
    static pauseVideo(): Promise<void>;
    /** Turns the camera on. */
    static resumeVideo(): Promise<void>;
    /** Turns the camera on or off. */
    static toggleVideo(): Promise<void>;
    /** Asks for a screen or window and shares it. Call it from a click. */
    static startScreenSharing(): Promise<void>;
    /** Ends the screen share. */
    static stopScreenSharing(): Promise<void>;
    /** Uses the next camera that there is. */
    static switchCamera(): Promise<void>;
    /** The microphones. */
    static getAudioInputDevices(): Promise<MediaDeviceInfo[]>;
    /** The speakers. */
    static getAudioOutputDevices(): Promise<MediaDeviceInfo[]>;
    /** The cameras. */
    static getVideoInputDevices(): Promise<MediaDeviceInfo[]>;
    /** The microphone that was chosen; undefined: the browser's choice. */
    static getCurrentAudioInputDevice(): Promise<MediaDeviceInfo | undefined>;
    /** The speaker that was chosen; undefined: the browser's choice. */
    static getCurrentAudioOutputDevice(): Promise<MediaDeviceInfo | undefined>;
    /** The camera that was chosen; undefined: the browser's choice. */
    static getCurrentVideoInputDevice(): Promise<MediaDeviceInfo | undefined>;
    /** Uses another microphone. */
    static setAudioInputDevice(deviceId: string): Promise<void>;
    /** Plays through another speaker, where the browser can. */
    static setAudioOutputDevice(deviceId: string): Promise<void>;
    /** Uses another camera. */
    static setVideoInputDevice(deviceId: string): Promise<void>;
    /** `(listener)`, or `(owner, listener)` as on Android. Gives back the undo. */
    static addSessionStatusListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    /** Hears of who joins, leaves and mutes. Gives back the undo. */
    static addParticipantEventListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    /** Hears of this device's microphone, camera and screen. Gives back the undo. */
    static addMediaEventsListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    /** Hears of clicks on the grid's buttons. Gives back the undo. */
    static addButtonClickListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    /** Layout, participant list and picture in picture. */
    static addLayoutListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    /** One callback of any of the listeners above, by its name. */
    static addEventListener(name: string, callback: (...values: unknown[]) => void): () => void;
}
