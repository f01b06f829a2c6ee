import { type Session } from "../sdk/index.js";
import type { Account } from "./account.js";
import { DeviceNews } from "./devices.js";
import { Listeners, type Callbacks } from "./listeners.js";
import { type Options } from "./settings.js";
/** A participant as the session listeners get one. */
export interface RoomParticipant {
    pid: string;
    uid: string;
    name: string;
    avatar: string;
    isLocal: boolean;
    isAudioMuted: boolean;
    isVideoMuted: boolean;
    audioMuted: boolean;
    videoPaused: boolean;
    isPresenting: boolean;
    isPinned: boolean;
    /** Epoch seconds; 0 while the hand is down. */
    raisedHandTimestamp: number;
    type: "human";
    joinedAt: number;
}
/** The one session that CometChat's API can have at a time, with its listeners and its grid. */
export declare class Room {
    #private;
    readonly status: Listeners;
    readonly participants: Listeners;
    readonly media: Listeners;
    readonly buttons: Listeners;
    /** How the session is shown. */
    readonly layouts: Listeners;
    /** Listeners of the older SDKs, given with a session and gone with it. */
    readonly ongoing: Listeners;
    /** Of this device's microphones, speakers and cameras. */
    readonly devices: DeviceNews;
    constructor(account: Account);
    get session(): Session | null;
    get isActive(): boolean;
    /** Joins and shows the session in `element`. Joining the same session again is one joining. */
    join(sessionId: string, settings: Options | undefined, element: HTMLElement | null | undefined, listener?: Callbacks): Promise<void>;
    /** Leaves the session; a call of two ends with it. Harmless without one. */
    leave(): Promise<void>;
    /** Shows the session in another layout. */
    setLayout(layout: string): void;
    /** Keeps a participant's picture large, and sent before others'; "" for none. */
    pin(participantId: string): void;
    /** Shows or hides the list of participants; without an argument, the other way round. */
    showPeople(on?: boolean): void;
    /** Floats the large picture over other windows, or brings it back. */
    float(on: boolean): Promise<void>;
}
