import type { Call as CallInfo, Parley, TokenProvider, User as UserInfo } from "../sdk/index.js";
import { Account } from "./account.js";
import { BlockedUsersRequest, BlockedUsersRequestBuilder, changeBlocks, type BlockAnswer } from "./blocked.js";
import { Call } from "./call.js";
import { CALL_MODE, CALL_STATUS, CALL_TYPE, RECEIVER_TYPE } from "./constants.js";
import { CometChatException } from "./exception.js";
import { CallListener, Listeners, LoginListener, OngoingCallListener, type Callbacks } from "./listeners.js";
import { Group, User } from "./people.js";
import { registerPush, targetOf, unregisterPush, type PushSettings } from "./push-token.js";
import { Room } from "./room.js";
import { AppSettingsBuilder, CallSettingsBuilder, choicesOf, type Options } from "./settings.js";

/** The one account and session of the page, shared by CometChat and CometChatCalls. */
export const account = new Account();
export const room = new Room(account);

const ringing = new Listeners();
let activeCall: Call | null = null;

account.onClient((client) => hearCalls(client));
BlockedUsersRequestBuilder.need = () => account.need();

/** Turns the client's call events into the five callbacks; docs/from-cometchat.md has the table. */
function hearCalls(client: Parley): void {
  const tell = (callback: string, info: CallInfo, by: UserInfo | undefined) => {
    const call = messageOf(info, by ?? info.initiator);
    if (callback === "onIncomingCallReceived" || callback === "onOutgoingCallAccepted") {
      if (callback === "onOutgoingCallAccepted") activeCall = call;
    } else if (activeCall?.sessionId === info.sessionId) activeCall = null;
    ringing.raise(callback, call);
  };
  const mine = (info: CallInfo) => info.initiator.uid === client.user?.uid;
  const myself = () => client.user ?? undefined;
  client.calls.on("incoming", ({ call, by }) => tell("onIncomingCallReceived", call, by));
  client.calls.on("accepted", ({ call, by }) => tell("onOutgoingCallAccepted", call, by ?? calleeOf(call)));
  client.calls.on("rejected", ({ call, by }) => tell("onOutgoingCallRejected", call, by ?? calleeOf(call)));
  client.calls.on("answeredElsewhere", ({ call, by }) => tell("onIncomingCallCancelled", call, by ?? myself()));
  client.calls.on("declinedElsewhere", ({ call, by }) => tell("onIncomingCallCancelled", call, by ?? myself()));
  client.calls.on("cancelled", ({ call, by }) => tell(mine(call) ? "onOutgoingCallRejected" : "onIncomingCallCancelled", call, by));
  client.calls.on("unanswered", ({ call, by }) => tell(mine(call) ? "onOutgoingCallRejected" : "onIncomingCallCancelled", call, by));
  client.calls.on("ended", ({ call, by }) => tell("onCallEndedMessageReceived", call, by));
}

function calleeOf(info: CallInfo): UserInfo | undefined {
  return "uid" in info.receiver ? info.receiver : undefined;
}

function messageOf(info: CallInfo, by: UserInfo): Call {
  return Call.fromInfo(info, by, account.user?.uid ?? "");
}

/** Runs one action of this user and gives its message; errors become CometChatExceptions. */
async function act(change: (client: Parley) => Promise<CallInfo>): Promise<Call> {
  try {
    const client = account.need();
    const info = await change(client);
    const me = client.user ?? info.initiator;
    const call = messageOf(info, me);
    const going = info.status === "initiated" || info.status === "ongoing";
    if (going) activeCall = call;
    else if (activeCall?.sessionId === info.sessionId) activeCall = null;
    return call;
  } catch (error) {
    throw CometChatException.from(error);
  }
}

const needId = (sessionId: string): string => {
  if (typeof sessionId === "string" && sessionId) return sessionId;
  throw new CometChatException({ code: "ERR_EMPTY_CALL_SESSION_ID", message: "The session id is missing." });
};

/** The shape of CometChat's Chat SDK, as far as calling goes, on a Parley server. */
export class CometChat {
  /** `new CometChat.Call(…)`: a call to make. */
  static readonly Call = Call;
  /** The class of users. */
  static readonly User = User;
  /** The class of groups. */
  static readonly Group = Group;
  /** Builds the settings of `init`. */
  static readonly AppSettingsBuilder = AppSettingsBuilder;
  /** Builds the settings of `startCall`. */
  static readonly CallSettingsBuilder = CallSettingsBuilder;
  /** Makes a listener for `addCallListener`. */
  static readonly CallListener = CallListener;
  /** Makes a listener for `addLoginListener`. */
  static readonly LoginListener = LoginListener;
  /** Makes a listener for a running session. */
  static readonly OngoingCallListener = OngoingCallListener;
  /** What every method rejects with. */
  static readonly CometChatException = CometChatException;
  /** Builds requests for the blocked users. */
  static readonly BlockedUsersRequestBuilder = BlockedUsersRequestBuilder;
  /** Reads the blocked users. */
  static readonly BlockedUsersRequest = BlockedUsersRequest;
  static readonly CALL_TYPE = CALL_TYPE;
  static readonly RECEIVER_TYPE = RECEIVER_TYPE;
  static readonly CALL_STATUS = CALL_STATUS;
  static readonly CALL_MODE = CALL_MODE;

  /** Says which server to use; the app id is CometChat's and means nothing here. */
  static async init(_appId: string, settings?: Options): Promise<boolean> {
    account.init(settings);
    return true;
  }

  /** Whether `init` was called. */
  static isInitialized(): boolean {
    return account.initialised;
  }

  /** `login(uid, authKey)` in development; `login(token)`, or `login(() => token)` that can renew it, in production. */
  static login(uidOrToken: string | TokenProvider | { uid?: string; authKey?: string; authToken?: string }, authKey?: string): Promise<User> {
    if (typeof uidOrToken === "object") {
      const { uid, authKey: key, authToken } = uidOrToken;
      return authToken ? account.loginWithToken(authToken) : account.loginWithKey(uid ?? "", key ?? "");
    }
    if (typeof uidOrToken === "string" && authKey !== undefined) return account.loginWithKey(uidOrToken, authKey);
    return account.loginWithToken(uidOrToken);
  }

  /** Signs in with a JWT of your back end. */
  static loginWithAuthToken(token: string): Promise<User> {
    return account.loginWithToken(token);
  }

  /** Signs out: no push reaches this device any more. */
  static async logout(): Promise<Record<string, never>> {
    activeCall = null;
    if (account.client?.state === "connected") await unregisterPush(account).catch(() => undefined); // a device that is signed out does not ring
    account.logout();
    return {};
  }

  /** Who is signed in; null if nobody is. */
  static async getLoggedinUser(): Promise<User | null> {
    return account.user;
  }

  /** The same as `getLoggedinUser`. */
  static getLoggedInUser(): Promise<User | null> {
    return CometChat.getLoggedinUser();
  }

  /** Hears of signing in and out, here or in CometChatCalls. A listener of the same id is replaced. */
  static addLoginListener(listenerId: string, listener: Callbacks): void {
    account.chatLogins.add(listenerId, listener);
  }

  /** Takes the login listener of an id away. */
  static removeLoginListener(listenerId: string): void {
    account.chatLogins.remove(listenerId);
  }

  /** Hears of calls. A listener of the same id is replaced. */
  static addCallListener(listenerId: string, listener: Callbacks): void {
    ringing.add(listenerId, listener);
  }

  /** Takes the listener of an id away. */
  static removeCallListener(listenerId: string): void {
    ringing.remove(listenerId);
  }

  /** Rings; `timeout` in seconds, 45 if it is not given or not positive. */
  static initiateCall(call: Call, timeout?: number): Promise<Call> {
    return act((client) =>
      client.calls.initiate({
        receiverId: call.receiverId,
        receiverType: call.receiverType as "user" | "group",
        type: call.type as "audio" | "video",
        timeoutSeconds: timeout && timeout > 0 ? Math.min(300, Math.max(5, Math.floor(timeout))) : undefined,
        metadata: call.metadata,
      }),
    );
  }

  /** Takes a call that rings here. Join its session next. */
  static acceptCall(sessionId: string): Promise<Call> {
    return act((client) => client.calls.accept(needId(sessionId)));
  }

  /** `rejected` and `busy` by who is called, `cancelled` by the caller. */
  static rejectCall(sessionId: string, status: string): Promise<Call> {
    return act((client) => {
      const id = needId(sessionId);
      if (status === "cancelled") return client.calls.cancel(id);
      if (status === "rejected" || status === "busy") return client.calls.reject(id, status);
      throw new CometChatException({ code: "ERR_BAD_REQUEST", message: "The status must be rejected, busy or cancelled." });
    });
  }

  /** Hangs up. Ending a call that is over gives its final state, any number of times. */
  static endCall(sessionId: string): Promise<Call> {
    return act((client) => client.calls.end(needId(sessionId)).catch((error: unknown) => finalState(error)));
  }

  /**
   * Has this device ring when the app is closed. The token is Firebase's or Apple's, or a browser's PushSubscription; a PushKit
   * token needs `{voip: true}` beside it. The callback of the Android guides is taken, too.
   */
  static async registerTokenForPushNotification(
    token: string | PushSubscription | PushSubscriptionJSON,
    settings?: PushSettings & { onSuccess?: (said: string) => void; onError?: (error: CometChatException) => void },
  ): Promise<string> {
    const { onSuccess, onError, ...rest } = settings ?? {};
    try {
      const said = await registerPush(account, targetOf(token, rest));
      onSuccess?.(said);
      return said;
    } catch (error) {
      if (!onError) throw error;
      onError(error as CometChatException);
      return "";
    }
  }

  /** Blocks users: neither of the two can ring the other. Says of each uid whether it worked. */
  static async blockUsers(uids: string[]): Promise<BlockAnswer> {
    return changeBlocks(account.need(), uids, "block");
  }

  /** Unblocks users. Says of each uid whether it worked. */
  static async unblockUsers(uids: string[]): Promise<BlockAnswer> {
    return changeBlocks(account.need(), uids, "unblock");
  }

  /** The call that this page is in or rings for; null without one. */
  static getActiveCall(): Call | null {
    return activeCall;
  }

  /** Forgets the local copy of the call; the call itself goes on. */
  static clearActiveCall(): void {
    activeCall = null;
  }

  /** How many people are in a call now. */
  static async getCallParticipantCount(sessionId: string, _type?: string): Promise<number> {
    try {
      const info = await account.need().calls.get(needId(sessionId));
      return info.members.filter((member) => member.state === "joined").length;
    } catch (error) {
      throw CometChatException.from(error);
    }
  }

  /** Step 4 of the older guides: shows the session of a call in an element. */
  static async startCall(settings: Options | string, element?: HTMLElement | null, listener?: Callbacks): Promise<void> {
    const options = typeof settings === "string" ? {} : settings;
    const sessionId = typeof settings === "string" ? settings : choicesOf(settings).sessionId;
    await room.join(needId(sessionId ?? ""), options, element, listener);
  }
}

/** A refusal because the call is over carries the call. */
function finalState(error: unknown): CallInfo {
  const { code, details } = error as { code?: string; details?: { call?: CallInfo } };
  if (code === "ERR_CALL_TERMINATED" && details?.call) return details.call;
  throw error;
}

// The types that apps written in TypeScript use as CometChat.Call and so on.
// eslint-disable-next-line @typescript-eslint/no-namespace
export declare namespace CometChat {
  /** The type of `CometChat.Call`. */
  export type Call = import("./call.js").Call;
  /** The type of `CometChat.User`. */
  export type User = import("./people.js").User;
  /** The type of `CometChat.Group`. */
  export type Group = import("./people.js").Group;
  /** The type of `CometChat.CallListener`. */
  export type CallListener = import("./listeners.js").CallListener;
  /** The type of `CometChat.LoginListener`. */
  export type LoginListener = import("./listeners.js").LoginListener;
  /** The type of `CometChat.OngoingCallListener`. */
  export type OngoingCallListener = import("./listeners.js").OngoingCallListener;
  /** The type of `CometChat.CometChatException`. */
  export type CometChatException = import("./exception.js").CometChatException;
  /** The type of `CometChat.AppSettingsBuilder`. */
  export type AppSettingsBuilder = import("./settings.js").AppSettingsBuilder;
  /** The type of `CometChat.CallSettingsBuilder`. */
  export type CallSettingsBuilder = import("./settings.js").CallSettingsBuilder;
}
