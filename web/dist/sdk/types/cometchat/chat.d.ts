import type { TokenProvider } from "../sdk/index.js";
import { Account } from "./account.js";
import { BlockedUsersRequest, BlockedUsersRequestBuilder, type BlockAnswer } from "./blocked.js";
import { Call } from "./call.js";
import { CometChatException } from "./exception.js";
import { CallListener, LoginListener, OngoingCallListener, type Callbacks } from "./listeners.js";
import { Group, User } from "./people.js";
import { type PushSettings } from "./push-token.js";
import { Room } from "./room.js";
import { AppSettingsBuilder, CallSettingsBuilder, type Options } from "./settings.js";
/** The one account and session of the page, shared by CometChat and CometChatCalls. */
export declare const account: Account;
export declare const room: Room;
/** The shape of CometChat's Chat SDK, as far as calling goes, on a Parley server. */
export declare class CometChat {
    /** `new CometChat.Call(…)`: a call to make. */
    static readonly Call: typeof Call;
    /** The class of users. */
    static readonly User: typeof User;
    /** The class of groups. */
    static readonly Group: typeof Group;
    /** Builds the settings of `init`. */
    static readonly AppSettingsBuilder: typeof AppSettingsBuilder;
    /** Builds the settings of `startCall`. */
    static readonly CallSettingsBuilder: typeof CallSettingsBuilder;
    /** Makes a listener for `addCallListener`. */
    static readonly CallListener: typeof CallListener;
    /** Makes a listener for `addLoginListener`. */
    static readonly LoginListener: typeof LoginListener;
    /** Makes a listener for a running session. */
    static readonly OngoingCallListener: typeof OngoingCallListener;
    /** What every method rejects with. */
    static readonly CometChatException: typeof CometChatException;
    /** Builds requests for the blocked users. */
    static readonly BlockedUsersRequestBuilder: typeof BlockedUsersRequestBuilder;
    /** Reads the blocked users. */
    static readonly BlockedUsersRequest: typeof BlockedUsersRequest;
    static readonly CALL_TYPE: {
        readonly AUDIO: "audio";
        readonly VIDEO: "video";
    };
    static readonly RECEIVER_TYPE: {
        readonly USER: "user";
        readonly GROUP: "group";
    };
    static readonly CALL_STATUS: {
        readonly INITIATED: "initiated";
        readonly ONGOING: "ongoing";
        readonly UNANSWERED: "unanswered";
        readonly REJECTED: "rejected";
        readonly BUSY: "busy";
        readonly CANCELLED: "cancelled";
        readonly ENDED: "ended";
    };
    static readonly CALL_MODE: {
        readonly DEFAULT: "DEFAULT";
        readonly SPOTLIGHT: "SPOTLIGHT";
        readonly SINGLE: "SINGLE";
        readonly TILE: "TILE";
        readonly GRID: "GRID";
    };
    /** Says which server to use; the app id is CometChat's and means nothing here. */
    static init(_appId: string, settings?: Options): Promise<boolean>;
    /** Whether `init` was called. */
    static isInitialized(): boolean;
    /** `login(uid, authKey)` in development; `login(token)`, or `login(() => token)` that can renew it, in production. */
    static login(uidOrToken: string | TokenProvider | {
        uid?: string;
        authKey?: string;
        authToken?: string;
    }, authKey?: string): Promise<User>;
    /** Signs in with a JWT of your back end. */
    static loginWithAuthToken(token: string): Promise<User>;
    /** Signs out: no push reaches this device any more. */
    static logout(): Promise<Record<string, never>>;
    /** Who is signed in; null if nobody is. */
    static getLoggedinUser(): Promise<User | null>;
    /** The same as `getLoggedinUser`. */
    static getLoggedInUser(): Promise<User | null>;
    /** Hears of signing in and out, here or in CometChatCalls. A listener of the same id is replaced. */
    static addLoginListener(listenerId: string, listener: Callbacks): void;
    /** Takes the login listener of an id away. */
    static removeLoginListener(listenerId: string): void;
    /** Hears of calls. A listener of the same id is replaced. */
    static addCallListener(listenerId: string, listener: Callbacks): void;
    /** Takes the listener of an id away. */
    static removeCallListener(listenerId: string): void;
    /** Rings; `timeout` in seconds, 45 if it is not given or not positive. */
    static initiateCall(call: Call, timeout?: number): Promise<Call>;
    /** Takes a call that rings here. Join its session next. */
    static acceptCall(sessionId: string): Promise<Call>;
    /** `rejected` and `busy` by who is called, `cancelled` by the caller. */
    static rejectCall(sessionId: string, status: string): Promise<Call>;
    /** Hangs up. Ending a call that is over gives its final state, any number of times. */
    static endCall(sessionId: string): Promise<Call>;
    /**
     * Has this device ring when the app is closed. The token is Firebase's or Apple's, or a browser's PushSubscription; a PushKit
     * token needs `{voip: true}` beside it. The callback of the Android guides is taken, too.
     */
    static registerTokenForPushNotification(token: string | PushSubscription | PushSubscriptionJSON, settings?: PushSettings & {
        onSuccess?: (said: string) => void;
        onError?: (error: CometChatException) => void;
    }): Promise<string>;
    /** Blocks users: neither of the two can ring the other. Says of each uid whether it worked. */
    static blockUsers(uids: string[]): Promise<BlockAnswer>;
    /** Unblocks users. Says of each uid whether it worked. */
    static unblockUsers(uids: string[]): Promise<BlockAnswer>;
    /** The call that this page is in or rings for; null without one. */
    static getActiveCall(): Call | null;
    /** Forgets the local copy of the call; the call itself goes on. */
    static clearActiveCall(): void;
    /** How many people are in a call now. */
    static getCallParticipantCount(sessionId: string, _type?: string): Promise<number>;
    /** Step 4 of the older guides: shows the session of a call in an element. */
    static startCall(settings: Options | string, element?: HTMLElement | null, listener?: Callbacks): Promise<void>;
}
export declare namespace CometChat {
    /** The type of `CometChat.Call`. */
    type Call = import("./call.js").Call;
    /** The type of `CometChat.User`. */
    type User = import("./people.js").User;
    /** The type of `CometChat.Group`. */
    type Group = import("./people.js").Group;
    /** The type of `CometChat.CallListener`. */
    type CallListener = import("./listeners.js").CallListener;
    /** The type of `CometChat.LoginListener`. */
    type LoginListener = import("./listeners.js").LoginListener;
    /** The type of `CometChat.OngoingCallListener`. */
    type OngoingCallListener = import("./listeners.js").OngoingCallListener;
    /** The type of `CometChat.CometChatException`. */
    type CometChatException = import("./exception.js").CometChatException;
    /** The type of `CometChat.AppSettingsBuilder`. */
    type AppSettingsBuilder = import("./settings.js").AppSettingsBuilder;
    /** The type of `CometChat.CallSettingsBuilder`. */
    type CallSettingsBuilder = import("./settings.js").CallSettingsBuilder;
}
