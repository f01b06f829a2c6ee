import { type ConnectionTest, type ConnectionTestOptions, type Session } from "../sdk/index.js";
import { CallLog, CallLogRequestBuilder } from "./call-log.js";
import { account, room } from "./chat.js";
import { LAYOUT, SESSION_TYPE } from "./constants.js";
import { chosenDevice, devicesOf } from "./devices.js";
import { CometChatException } from "./exception.js";
import { Listener, OngoingCallListener, type Callbacks } from "./listeners.js";
import type { User } from "./people.js";
import { CallAppSettingsBuilder, CallSettingsBuilder, SessionSettingsBuilder, type Options } from "./settings.js";

/** What joining answers: CometChat's newer SDK does not reject, it fills in `error`. */
export interface JoinAnswer {
  data: { sessionId: string } | null;
  error: CometChatException | null;
}

/** The token of a session, as `generateToken` gives it. */
export type Token = string | { token: string };

const listenerOf = (ownerOrListener: unknown, listener: Callbacks | undefined): Callbacks => listener ?? (ownerOrListener as Callbacks);

function withSession(action: (session: Session) => Promise<void>): Promise<void> {
  const { session } = room;
  if (!session) return Promise.reject(new CometChatException({ code: "ERR_NO_SESSION", message: "There is no session." }));
  return action(session).catch((error: unknown) => {
    throw CometChatException.from(error);
  });
}

function choose(kind: MediaDeviceKind, action: (session: Session) => Promise<void>): Promise<void> {
  return withSession((session) => room.devices.choose(kind, session, () => action(session)));
}

CallLogRequestBuilder.need = () => account.need();

/** The shape of CometChat's Calls SDK, on a Parley server. */
export class CometChatCalls {
  static readonly SessionSettingsBuilder = SessionSettingsBuilder;
  static readonly CallSettingsBuilder = CallSettingsBuilder;
  static readonly CallAppSettingsBuilder = CallAppSettingsBuilder;
  static readonly CallLogRequestBuilder = CallLogRequestBuilder;
  static readonly OngoingCallListener = OngoingCallListener;
  static readonly SessionType = SESSION_TYPE;
  static readonly SESSION_TYPE = SESSION_TYPE;
  static readonly LAYOUT = LAYOUT;
  /** Android's way to the running session. */
  static readonly CallSession = {
    /** The running session's methods, which are this class's. */
    getInstance: (): typeof CometChatCalls => CometChatCalls,
  };

  /** Says which server to use; without settings the one of `CometChat.init` stays. */
  static async init(settings?: Options): Promise<{ success: boolean; error: null }> {
    if (!account.initialised || settings) account.init(settings);
    return { success: true, error: null };
  }

  /** Signs in by uid and auth key, on a server with open login. */
  static login(uid: string, authKey: string): Promise<User> {
    return account.loginWithKey(uid, authKey);
  }

  /** Signs in with a JWT of your back end. */
  static loginWithAuthToken(token: string): Promise<User> {
    return account.loginWithToken(token);
  }

  /** Signs out. */
  static async logout(): Promise<void> {
    account.logout();
  }

  /** Who is signed in; null if nobody is. */
  static getLoggedInUser(): User | null {
    return account.user;
  }

  /** Whether somebody is signed in. */
  static isUserLoggedIn(): boolean {
    return account.user !== null;
  }

  /** The token that this device signed in with, or the one that replaced it; null if nobody is signed in. */
  static getUserAuthToken(): string | null {
    return account.token;
  }

  /** Hears of signing in and out, here or in CometChat. A listener of the same id is replaced. */
  static addLoginListener(listenerId: string, listener: Callbacks): void {
    account.callsLogins.add(listenerId, listener);
  }

  /** Takes the listener of an id away. */
  static removeLoginListener(listenerId: string): void {
    account.callsLogins.remove(listenerId);
  }

  /** CometChat's token opens one session; here being signed in does, so the token is the session's id. */
  static async generateToken(sessionId: string, _authToken?: string): Promise<{ token: string; sessionId: string }> {
    if (!sessionId) throw new CometChatException({ code: "ERROR_SESSION_ID_MISSING", message: "The session id is missing." });
    return { token: sessionId, sessionId };
  }

  /** Joins a session and shows it in `element`; resolves in any case and says how it went. */
  static async joinSession(token: Token, settings?: Options, element?: HTMLElement | null): Promise<JoinAnswer> {
    const sessionId = typeof token === "string" ? token : token?.token;
    try {
      if (!sessionId) throw new CometChatException({ code: "ERROR_SESSION_ID_MISSING", message: "The session id is missing." });
      await room.join(sessionId, settings, element);
      return { data: { sessionId }, error: null };
    } catch (error) {
      return { data: null, error: CometChatException.from(error) };
    }
  }

  /** The name of `joinSession` in the older SDK. */
  static startSession(token: Token, settings?: Options, element?: HTMLElement | null): Promise<JoinAnswer> {
    return CometChatCalls.joinSession(token, settings, element);
  }

  /** Leaves the session; a call of two ends with it. */
  static leaveSession(): Promise<void> {
    return room.leave();
  }

  /** The same as `leaveSession`. */
  static endSession(): Promise<void> {
    return room.leave();
  }

  /** Ends a group call for everybody, for those who may. */
  static endSessionForAll(): Promise<void> {
    return withSession((session) => session.endForAll());
  }

  /** Raises this user's hand. */
  static raiseHand(): Promise<void> {
    return withSession((session) => session.raiseHand());
  }

  /** Lowers this user's hand. */
  static lowerHand(): Promise<void> {
    return withSession((session) => session.lowerHand());
  }

  /** Raises the hand, or lowers it. */
  static toggleHand(): Promise<void> {
    return withSession((session) => (session.local.raisedAt === undefined ? session.raiseHand() : session.lowerHand()));
  }

  /** Mutes a participant's microphone, for moderators. */
  static muteParticipant(participantId: string): Promise<void> {
    return withSession((session) => session.muteParticipant(participantId));
  }

  /** Turns a participant's camera off, for moderators. */
  static pauseParticipantVideo(participantId: string): Promise<void> {
    return withSession((session) => session.muteParticipant(participantId, "camera"));
  }

  /** Keeps a participant's picture large here, and sent before others' when the network is narrow. */
  static pinParticipant(participantId: string, _type?: string): Promise<void> {
    return withSession(async () => room.pin(participantId));
  }

  /** Takes that back. */
  static unpinParticipant(): Promise<void> {
    return withSession(async () => room.pin(""));
  }

  /** TILE, SIDEBAR or SPOTLIGHT, for this viewer. */
  static setLayout(layout: string): Promise<void> {
    return withSession(async () => room.setLayout(layout));
  }

  /** Shows the list of participants under the tiles. */
  static showParticipantList(): Promise<void> {
    return withSession(async () => room.showPeople(true));
  }

  /** Hides the list of participants. */
  static hideParticipantList(): Promise<void> {
    return withSession(async () => room.showPeople(false));
  }

  /** Shows the list of participants, or hides it. */
  static toggleParticipantList(): Promise<void> {
    return withSession(async () => room.showPeople());
  }

  /** Floats the large picture over other windows, where the browser can; needs a click. */
  static enablePictureInPictureLayout(): Promise<void> {
    return withSession(() => room.float(true));
  }

  /** Brings the picture back. */
  static disablePictureInPictureLayout(): Promise<void> {
    return withSession(() => room.float(false));
  }

  /** A call of this user's log, in a list as CometChat gives it; empty for one that the log does not have. */
  static async getCallDetails(sessionId: string, _authToken?: string): Promise<CallLog[]> {
    try {
      const { calls } = account.need();
      const { initiatedAt } = await calls.get(sessionId);
      const page = await calls.history({ from: initiatedAt, until: initiatedAt + 1, limit: 100 });
      return page.calls.filter((call) => call.sessionId === sessionId).map((call) => new CallLog(call));
    } catch (error) {
      throw CometChatException.from(error);
    }
  }

  /** Whether this page is in a session. */
  static isSessionActive(): boolean {
    return room.isActive;
  }

  /** Not of CometChat: tries the connection to the server in every way that a call could take. */
  static async connectionTest(options?: ConnectionTestOptions): Promise<ConnectionTest> {
    return account.need().connectionTest(options);
  }

  /** Mutes the microphone. */
  static muteAudio(): Promise<void> {
    return withSession((session) => session.setMicrophone(false));
  }

  /** Unmutes the microphone. */
  static unMuteAudio(): Promise<void> {
    return withSession((session) => session.setMicrophone(true));
  }

  /** The same as `unMuteAudio`. */
  static unmuteAudio(): Promise<void> {
    return CometChatCalls.unMuteAudio();
  }

  /** Mutes or unmutes the microphone. */
  static toggleAudio(): Promise<void> {
    return withSession((session) => session.setMicrophone(!session.local.microphoneOn));
  }

  /** Turns the camera off; its light goes out. */
  static pauseVideo(): Promise<void> {
    return withSession((session) => session.setCamera(false));
  }

  /** Turns the camera on. */
  static resumeVideo(): Promise<void> {
    return withSession((session) => session.setCamera(true));
  }

  /** Turns the camera on or off. */
  static toggleVideo(): Promise<void> {
    return withSession((session) => session.setCamera(!session.local.cameraOn));
  }

  /** Asks for a screen or window and shares it. Call it from a click. */
  static startScreenSharing(): Promise<void> {
    return withSession((session) => session.shareScreen());
  }

  /** Ends the screen share. */
  static stopScreenSharing(): Promise<void> {
    return withSession((session) => session.stopScreenShare());
  }

  /** Uses the next camera that there is. */
  static switchCamera(): Promise<void> {
    return choose("videoinput", (session) => session.switchCamera());
  }

  /** The microphones. */
  static getAudioInputDevices(): Promise<MediaDeviceInfo[]> {
    return devicesOf("audioinput");
  }

  /** The speakers. */
  static getAudioOutputDevices(): Promise<MediaDeviceInfo[]> {
    return devicesOf("audiooutput");
  }

  /** The cameras. */
  static getVideoInputDevices(): Promise<MediaDeviceInfo[]> {
    return devicesOf("videoinput");
  }

  /** The microphone that was chosen; undefined: the browser's choice. */
  static getCurrentAudioInputDevice(): Promise<MediaDeviceInfo | undefined> {
    return chosenDevice("audioinput", room.session);
  }

  /** The speaker that was chosen; undefined: the browser's choice. */
  static getCurrentAudioOutputDevice(): Promise<MediaDeviceInfo | undefined> {
    return chosenDevice("audiooutput", room.session);
  }

  /** The camera that was chosen; undefined: the browser's choice. */
  static getCurrentVideoInputDevice(): Promise<MediaDeviceInfo | undefined> {
    return chosenDevice("videoinput", room.session);
  }

  /** Uses another microphone. */
  static setAudioInputDevice(deviceId: string): Promise<void> {
    return choose("audioinput", (session) => session.switchMicrophone(deviceId));
  }

  /** Plays through another speaker, where the browser can. */
  static setAudioOutputDevice(deviceId: string): Promise<void> {
    return choose("audiooutput", (session) => session.switchSpeaker(deviceId));
  }

  /** Uses another camera. */
  static setVideoInputDevice(deviceId: string): Promise<void> {
    return choose("videoinput", (session) => session.switchCamera(deviceId));
  }

  /** `(listener)`, or `(owner, listener)` as on Android. Gives back the undo. */
  static addSessionStatusListener(ownerOrListener: unknown, listener?: Callbacks): () => void {
    return room.status.add(ownerOrListener, listenerOf(ownerOrListener, listener));
  }

  /** Hears of who joins, leaves and mutes. Gives back the undo. */
  static addParticipantEventListener(ownerOrListener: unknown, listener?: Callbacks): () => void {
    return room.participants.add(ownerOrListener, listenerOf(ownerOrListener, listener));
  }

  /** Hears of this device's microphone, camera and screen. Gives back the undo. */
  static addMediaEventsListener(ownerOrListener: unknown, listener?: Callbacks): () => void {
    return room.media.add(ownerOrListener, listenerOf(ownerOrListener, listener));
  }

  /** Hears of clicks on the grid's buttons. Gives back the undo. */
  static addButtonClickListener(ownerOrListener: unknown, listener?: Callbacks): () => void {
    return room.buttons.add(ownerOrListener, listenerOf(ownerOrListener, listener));
  }

  /** Layout, participant list and picture in picture. */
  static addLayoutListener(ownerOrListener: unknown, listener?: Callbacks): () => void {
    return room.layouts.add(ownerOrListener, listenerOf(ownerOrListener, listener));
  }

  /** One callback of any of the listeners above, by its name. */
  static addEventListener(name: string, callback: (...values: unknown[]) => void): () => void {
    const listener = new Listener({ [name]: callback });
    const offs = [room.status, room.participants, room.media, room.buttons, room.layouts].map((set) => set.add(listener, listener));
    return () => offs.forEach((off) => off());
  }
}
