import { type ConnectionTest, type ConnectionTestOptions } from "../sdk/index.js";
import { CallLogRequestBuilder } from "./call-log.js";
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
type Token = string | {
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
        getInstance: () => typeof CometChatCalls;
    };
    static init(settings?: Options): Promise<{
        success: boolean;
        error: null;
    }>;
    static login(uid: string, authKey: string): Promise<User>;
    static loginWithAuthToken(token: string): Promise<User>;
    static logout(): Promise<void>;
    static getLoggedInUser(): User | null;
    static isUserLoggedIn(): boolean;
    /** CometChat's token opens one session; here being signed in does, so the token is the session's id. */
    static generateToken(sessionId: string, _authToken?: string): Promise<{
        token: string;
        sessionId: string;
    }>;
    /** Joins a session and shows it in `element`; resolves in any case and says how it went. */
    static joinSession(token: Token, settings?: Options, element?: HTMLElement | null): Promise<JoinAnswer>;
    /** The name of `joinSession` in the older SDK. */
    static startSession(token: Token, settings?: Options, element?: HTMLElement | null): Promise<JoinAnswer>;
    static leaveSession(): Promise<void>;
    static endSession(): Promise<void>;
    /** Ends a group call for everybody, for those who may. */
    static endSessionForAll(): Promise<void>;
    static isSessionActive(): boolean;
    /** Not of CometChat: tries the connection to the server in every way that a call could take. */
    static connectionTest(options?: ConnectionTestOptions): Promise<ConnectionTest>;
    static muteAudio(): Promise<void>;
    static unMuteAudio(): Promise<void>;
    static unmuteAudio(): Promise<void>;
    static toggleAudio(): Promise<void>;
    static pauseVideo(): Promise<void>;
    static resumeVideo(): Promise<void>;
    static toggleVideo(): Promise<void>;
    static startScreenSharing(): Promise<void>;
    static stopScreenSharing(): Promise<void>;
    static switchCamera(): Promise<void>;
    static getAudioInputDevices(): Promise<MediaDeviceInfo[]>;
    static getAudioOutputDevices(): Promise<MediaDeviceInfo[]>;
    static getVideoInputDevices(): Promise<MediaDeviceInfo[]>;
    static setAudioInputDevice(deviceId: string): Promise<void>;
    static setAudioOutputDevice(deviceId: string): Promise<void>;
    static setVideoInputDevice(deviceId: string): Promise<void>;
    /** `(listener)`, or `(owner, listener)` as on Android. Gives back the undo. */
    static addSessionStatusListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    static addParticipantEventListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    static addMediaEventsListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    static addButtonClickListener(ownerOrListener: unknown, listener?: Callbacks): () => void;
    /** One callback of any of the listeners above, by its name. */
    static addEventListener(name: string, callback: (...values: unknown[]) => void): () => void;
}
export {};
