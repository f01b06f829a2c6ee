import { CometChatCalls } from "./calls.js";
import { CometChat } from "./chat.js";
import { CometChatNotifications } from "./notifications.js";

export { CometChat, CometChatCalls, CometChatNotifications };
export { BlockedUsersRequest, BlockedUsersRequestBuilder } from "./blocked.js";
export type { BlockAnswer } from "./blocked.js";
export { Call } from "./call.js";
export { CallLog, CallLogParticipant, CallLogRequest, CallLogRequestBuilder } from "./call-log.js";
export { CometChatException } from "./exception.js";
export { CallListener, LoginListener, OngoingCallListener } from "./listeners.js";
export type { Callbacks } from "./listeners.js";
export type { PushSettings } from "./push-token.js";
export type { JoinAnswer, Token } from "./calls.js";
export { Group, User } from "./people.js";
export { SESSION_TYPE as SessionType } from "./constants.js";
export { AppSettingsBuilder, CallAppSettingsBuilder, CallSettingsBuilder, SessionSettingsBuilder } from "./settings.js";
export type { Options } from "./settings.js";

declare global {
  interface Window {
    CometChat: typeof CometChat;
    CometChatCalls: typeof CometChatCalls;
    CometChatNotifications: typeof CometChatNotifications;
  }
}

if (globalThis.window !== undefined) {
  window.CometChat = CometChat;
  window.CometChatCalls = CometChatCalls;
  window.CometChatNotifications = CometChatNotifications;
}
