import { ParleyError, type Call as CallInfo, type EnterOptions, type Parley, type RemoteParticipant, type Session } from "../sdk/index.js";
import type { Account } from "./account.js";
import { Call } from "./call.js";
import { DeviceNews } from "./devices.js";
import { CometChatException } from "./exception.js";
import { Grid } from "./grid.js";
import { Listeners, type Callbacks } from "./listeners.js";
import { choicesOf, layoutOf, type Options } from "./settings.js";

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
export class Room {
  readonly status = new Listeners();
  readonly participants = new Listeners();
  readonly media = new Listeners();
  readonly buttons = new Listeners();
  /** How the session is shown. */
  readonly layouts = new Listeners();
  /** Listeners of the older SDKs, given with a session and gone with it. */
  readonly ongoing = new Listeners();
  /** Of this device's microphones, speakers and cameras. */
  readonly devices = new DeviceNews(this.media, this.ongoing);
  #account: Account;
  #session: Session | null = null;
  #place = "";
  #pinned = "";
  #peopleShown = false;
  #joining: { sessionId: string; done: Promise<void> } | null = null;
  #grid: Grid | null = null;
  #presence = new Map<string, RoomParticipant>();
  /** Sources that are still opening: their first "on" is the start of the session and no news. */
  #opening = new Set<string>();

  constructor(account: Account) {
    this.#account = account;
  }

  get session(): Session | null {
    return this.#session;
  }

  get isActive(): boolean {
    return this.#session !== null || this.#joining !== null;
  }

  /** Joins and shows the session in `element`. Joining the same session again is one joining. */
  join(sessionId: string, settings: Options | undefined, element: HTMLElement | null | undefined, listener?: Callbacks): Promise<void> {
    if (this.#joining?.sessionId === sessionId) return this.#joining.done;
    if (this.#session && this.#place === sessionId) return Promise.resolve();
    if (this.isActive) {
      return Promise.reject(new CometChatException({ code: "ERR_SESSION_ACTIVE", message: "Leave the session you are in first." }));
    }
    const done = this.#join(sessionId, settings, element, listener).finally(() => (this.#joining = null));
    this.#joining = { sessionId, done };
    return done;
  }

  /** Leaves the session; a call of two ends with it. Harmless without one. */
  async leave(): Promise<void> {
    await this.#joining?.done.catch(() => {});
    await this.#session?.leave();
  }

  async #join(sessionId: string, settings: Options | undefined, element: HTMLElement | null | undefined, listener?: Callbacks): Promise<void> {
    const choices = choicesOf(settings);
    const client = this.#account.need();
    for (const each of [choices.listener, listener]) if (each) this.ongoing.add(each, each);
    try {
      const session = await enterOrJoin(client, sessionId, {
        video: choices.audioOnly === undefined ? undefined : !choices.audioOnly,
        startAudioMuted: choices.startAudioMuted,
        startVideoPaused: choices.startVideoPaused,
        devices: choices.devices,
      });
      this.#session = session;
      this.#place = sessionId;
      this.#opening = new Set(["microphone", "camera"]);
      if (choices.startAudioMuted || session.local.microphoneOn) this.#opening.delete("microphone");
      if (choices.startVideoPaused || session.local.cameraOn) this.#opening.delete("camera");
      this.#listen(session);
      if (element) this.#grid = new Grid(element, session, choices, (button) => this.#pressed(button));
    } catch (error) {
      const exception = CometChatException.from(error);
      this.status.raise("onConnectionFailed", { name: exception.code, message: exception.message, details: exception.details, recoverable: false });
      this.ongoing.raise("onError", exception);
      this.ongoing.clear();
      throw exception;
    }
    for (const error of this.#session?.local.errors.values() ?? []) this.ongoing.raise("onError", CometChatException.from(error));
    this.status.raise("onSessionJoined");
    for (const participant of this.#session?.participants ?? []) this.#joined(participant);
  }

  #listen(session: Session): void {
    this.devices.start();
    session.on("participantJoined", ({ participant }) => this.#joined(participant));
    session.on("participantLeft", ({ participant }) => this.#left(participant));
    session.on("participantUpdated", ({ participant }) => this.#updated(participant));
    session.on("speakersChanged", ({ speaker }) => {
      if (speaker) this.participants.raise("onDominantSpeakerChanged", this.#view(speaker));
    });
    session.on("localChanged", ({ source, on }) => this.#localChanged(source, on));
    session.on("mediaError", ({ source, error }) => {
      this.#opening.delete(source);
      this.ongoing.raise("onError", CometChatException.from(error));
    });
    session.on("handChanged", ({ participant, raised }) => {
      const view = participant === session.local ? this.#mine(session) : this.#view(participant as RemoteParticipant);
      this.participants.raise(raised ? "onParticipantHandRaised" : "onParticipantHandLowered", view);
    });
    session.on("mutedByModerator", ({ source, by }) => {
      if (source === "microphone") this.ongoing.raise("onUserMuted", { muted: this.#mine(session), mutedBy: { ...by } });
    });
    session.on("connectionLost", () => this.status.raise("onConnectionLost"));
    session.on("connectionRestored", () => this.status.raise("onConnectionRestored"));
    session.on("closed", ({ call, reason }) => this.#closed(call, reason));
    // What ended between the answer to joining and now was not heard.
    if (session.state === "closed") this.#closed(session.call, session.call.reason);
  }

  #closed(call: CallInfo, reason: string): void {
    if (!this.#session) return;
    this.#session = null;
    this.devices.stop();
    this.#pinned = "";
    this.#peopleShown = false;
    this.#grid?.close();
    this.#grid = null;
    this.#presence.clear();
    const me = this.#account.user?.uid ?? "";
    if (call.receiverType === "user") this.ongoing.raise("onCallEnded", Call.fromInfo(call, call.initiator, me));
    if (reason === "alone") {
      this.status.raise("onSessionTimedOut");
      this.ongoing.raise("onSessionTimeout");
    }
    this.status.raise("onSessionLeft");
    this.status.raise("onConnectionClosed");
    this.ongoing.clear();
  }

  /** Shows the session in another layout. */
  setLayout(layout: string): void {
    const name = layoutOf(layout);
    this.#grid?.setLayout(name);
    this.layouts.raise("onCallLayoutChanged", name);
  }

  /** Keeps a participant's picture large, and sent before others'; "" for none. */
  pin(participantId: string): void {
    const session = this.#session;
    if (!session) return;
    if (this.#pinned) session.setSlotWish(this.#pinned, "camera", null);
    if (participantId) session.setSlotWish(participantId, "camera", { pinned: true });
    this.#pinned = participantId;
    this.#grid?.pin(participantId);
    this.#listChanged();
  }

  /** Shows or hides the list of participants; without an argument, the other way round. */
  showPeople(on = !this.#peopleShown): void {
    if (!this.#session || on === this.#peopleShown) return;
    this.#peopleShown = on;
    this.#grid?.showPeople(on);
    this.layouts.raise(on ? "onParticipantListVisible" : "onParticipantListHidden");
  }

  /** Floats the large picture over other windows, or brings it back. */
  async float(on: boolean): Promise<void> {
    await this.#grid?.float(on);
    this.layouts.raise(on ? "onPictureInPictureLayoutEnabled" : "onPictureInPictureLayoutDisabled");
  }

  #view(participant: RemoteParticipant): RoomParticipant {
    return viewOf(participant, participant.participantId === this.#pinned);
  }

  /** This device's own user, as the listeners see others. */
  #mine({ local, call }: Session): RoomParticipant {
    return { ...viewOf({ ...pick(local), joinedAt: call.startedAt ?? 0 }, false), isLocal: true };
  }

  #joined(participant: RemoteParticipant): void {
    if (this.#presence.has(participant.participantId)) return;
    const view = this.#view(participant);
    this.#presence.set(view.pid, view);
    this.participants.raise("onParticipantJoined", view);
    this.ongoing.raise("onUserJoined", view);
    this.#listChanged();
    if (view.isPresenting) this.participants.raise("onParticipantStartedScreenShare", view);
  }

  #left(participant: RemoteParticipant): void {
    const view = this.#view(participant);
    this.#presence.delete(view.pid);
    this.participants.raise("onParticipantLeft", view);
    this.ongoing.raise("onUserLeft", view);
    this.#listChanged();
  }

  #updated(participant: RemoteParticipant): void {
    const now = this.#view(participant);
    const before = this.#presence.get(now.pid);
    this.#presence.set(now.pid, now);
    if (!before) return;
    if (before.audioMuted !== now.audioMuted) {
      this.participants.raise(now.audioMuted ? "onParticipantAudioMuted" : "onParticipantAudioUnmuted", now);
      this.ongoing.raise(now.audioMuted ? "onUserMuted" : "onUserUnMuted", { muted: now, mutedBy: now, ...now });
    }
    if (before.videoPaused !== now.videoPaused) {
      this.participants.raise(now.videoPaused ? "onParticipantVideoPaused" : "onParticipantVideoResumed", now);
    }
    if (before.isPresenting !== now.isPresenting) {
      this.participants.raise(now.isPresenting ? "onParticipantStartedScreenShare" : "onParticipantStoppedScreenShare", now);
      this.ongoing.raise(now.isPresenting ? "onScreenShareStarted" : "onScreenShareStopped", now);
    }
    this.#listChanged();
  }

  #listChanged(): void {
    const list = [...this.#presence.values()].map((view) => ({ ...view, isPinned: view.pid === this.#pinned }));
    this.participants.raise("onParticipantListChanged", list);
    this.ongoing.raise("onUserListUpdated", list);
    this.ongoing.raise("onUserListChanged", list);
  }

  #localChanged(source: string, on: boolean): void {
    if (this.#opening.delete(source) && on) return;
    const names: Record<string, [on: string, off: string]> = {
      microphone: ["onAudioUnMuted", "onAudioMuted"],
      camera: ["onVideoResumed", "onVideoPaused"],
      screen: ["onScreenShareStarted", "onScreenShareStopped"],
    };
    const name = names[source]?.[on ? 0 : 1];
    if (name) this.media.raise(name);
    if (source === "screen" && name) this.ongoing.raise(name);
  }

  /** A button of the grid: the listener hears it first, then it does what it says. */
  #pressed(button: "leave" | "audio" | "video" | "screen" | "hand"): void {
    const session = this.#session;
    if (!session) return;
    const events = { leave: "LeaveSession", audio: "ToggleAudio", video: "ToggleVideo", screen: "ScreenShare", hand: "RaiseHand" } as const;
    this.buttons.raise(`on${events[button]}ButtonClicked`);
    const failed = (error: unknown) => this.ongoing.raise("onError", CometChatException.from(error));
    if (button === "leave") {
      this.ongoing.raise("onCallEndButtonPressed");
      void this.leave();
    } else if (button === "audio") session.setMicrophone(!session.local.microphoneOn).catch(failed);
    else if (button === "video") session.setCamera(!session.local.cameraOn).catch(failed);
    else if (button === "hand") (session.local.raisedAt === undefined ? session.raiseHand() : session.lowerHand()).catch(failed);
    else (session.local.screenOn ? session.stopScreenShare() : session.shareScreen()).catch(failed);
  }
}

type Seen = Pick<RemoteParticipant, "participantId" | "user" | "microphoneOn" | "cameraOn" | "screenOn" | "raisedAt" | "joinedAt">;

/** The getters of the local participant as properties. */
function pick({ participantId, user, microphoneOn, cameraOn, screenOn, raisedAt }: Session["local"]): Omit<Seen, "joinedAt"> {
  return { participantId, user, microphoneOn, cameraOn, screenOn, raisedAt };
}

/** Joins the call of an id or, where there is none, the session of that name: CometChat has everybody meet who joins the same id. */
async function enterOrJoin(client: Parley, place: string, options: EnterOptions): Promise<Session> {
  try {
    return await client.join(place, options);
  } catch (error) {
    if (!(error instanceof ParleyError) || error.code !== "ERR_CALL_SESSION_NOT_FOUND") throw error;
    return client.enter(place, { ...options, type: options.video === false ? "audio" : "video" });
  }
}

function viewOf(participant: Seen, isPinned: boolean): RoomParticipant {
  const { participantId, user, microphoneOn, cameraOn, screenOn, raisedAt, joinedAt } = participant;
  return {
    pid: participantId,
    uid: user.uid,
    name: user.name || user.uid,
    avatar: user.avatar,
    isLocal: false,
    isAudioMuted: !microphoneOn,
    isVideoMuted: !cameraOn,
    audioMuted: !microphoneOn,
    videoPaused: !cameraOn,
    isPresenting: screenOn,
    isPinned,
    raisedHandTimestamp: Math.floor((raisedAt ?? 0) / 1000),
    type: "human",
    joinedAt: Math.floor(joinedAt / 1000),
  };
}
