import { useEffect, useRef, useState } from "react";
import type { LocalParticipant, PauseReason, Quality, RemoteParticipant, Session, SessionEvents, SessionRights, SessionState, User } from "../sdk/index.js";
import { same, useReading } from "./reading.js";

/** Somebody in the session as they are now; a new object after a change, the same one until then. */
export interface ParticipantReading {
  participantId: string;
  user: User;
  /** This device's own user. */
  self: boolean;
  /** Camera and microphone; of oneself the camera only. The same object for the whole call. */
  stream: MediaStream;
  /** The shared screen. */
  screen: MediaStream;
  microphoneOn: boolean;
  cameraOn: boolean;
  screenOn: boolean;
  /** The server heard them speak last. */
  speaking: boolean;
  /** Undefined until the server knows. */
  quality: Quality | undefined;
  /** Why their camera does not come, though it is on. */
  cameraPaused: PauseReason | undefined;
  /** Why their screen does not come, though it is shared. */
  screenPaused: PauseReason | undefined;
  /** When they raised a hand that is still up, in Unix milliseconds. */
  raisedAt: number | undefined;
}

/** A session as it is now. */
export interface SessionReading {
  state: SessionState;
  /** This device's own user. */
  local: ParticipantReading;
  /** Everybody else, in the order of their coming. */
  participants: readonly ParticipantReading[];
  /** Who spoke last; "" until somebody has. */
  speakerId: string;
  /** What this device may do here. */
  rights: SessionRights;
}

const told: (keyof SessionEvents)[] = [
  "stateChanged",
  "participantJoined",
  "participantLeft",
  "participantUpdated",
  "trackAdded",
  "trackRemoved",
  "localChanged",
  "speakersChanged",
  "qualityChanged",
  "videoPaused",
  "handChanged",
];

function readingOf(participant: LocalParticipant | RemoteParticipant): ParticipantReading {
  const { participantId, user, stream, screen, microphoneOn, cameraOn, screenOn, speaking, quality, raisedAt } = participant;
  const remote = "pausedBecause" in participant ? participant : undefined;
  return {
    participantId,
    user,
    self: !remote,
    stream,
    screen,
    microphoneOn,
    cameraOn,
    screenOn,
    speaking,
    quality,
    cameraPaused: remote?.pausedBecause("camera"),
    screenPaused: remote?.pausedBecause("screen"),
    raisedAt,
  };
}

/** The state of a session and everybody in it; null without a session. */
export function useSession(session: Session | null): SessionReading | null {
  // Of participants who have not changed the readings stay the same objects, so that memoized components rest.
  const known = useRef(new Map<object, ParticipantReading>());
  const participants = useRef<readonly ParticipantReading[]>([]);
  return useReading(session, told, () => {
    if (!session) return null;
    const before = known.current;
    const keep = (participant: LocalParticipant | RemoteParticipant) => {
      const now = readingOf(participant);
      const last = before.get(participant);
      const kept = last && same(last, now) ? last : now;
      after.set(participant, kept);
      return kept;
    };
    const after = new Map<object, ParticipantReading>();
    const local = keep(session.local);
    const others = session.participants.map(keep);
    known.current = after;
    if (!same(participants.current, others)) participants.current = others;
    return { state: session.state, local, participants: participants.current, speakerId: session.speakerId, rights: session.rights };
  });
}

/** Somebody in the session by participant id; undefined when they are not there. */
export function useParticipant(session: Session | null, participantId: string): ParticipantReading | undefined {
  const now = useSession(session);
  return [now?.local, ...(now?.participants ?? [])].find((participant) => participant?.participantId === participantId);
}

/** How good the call is for somebody, by default for this device's own user; undefined until the server knows. */
export function useQuality(session: Session | null, participantId?: string): Quality | undefined {
  return useReading(session, ["qualityChanged", "participantJoined", "participantLeft"], () => {
    const { local, participants } = session ?? {};
    const all = [local, ...(participants ?? [])];
    return (participantId === undefined ? local : all.find((one) => one?.participantId === participantId))?.quality;
  });
}

/** A ref for an element. The types of React 18 and 19 both take it, which they do not of each other's. */
export interface MediaRef<E> {
  current: E | null;
}

/**
 * Plays a stream through the element that gets the returned ref, in the size that it has on the screen, through the chosen speaker.
 * Null plays nothing.
 */
export function useMedia<E extends HTMLMediaElement = HTMLVideoElement>(session: Session | null, stream: MediaStream | null): MediaRef<E> {
  const ref = useRef<E>(null);
  useEffect(() => {
    if (session && stream && ref.current) return session.attach(ref.current, stream);
  }, [session, stream]);
  return ref;
}

/** Whether sound may be played. */
export interface PlaybackReading {
  /** The browser waits for a click or key before it plays sound. */
  blocked: boolean;
  /** Starts it; to be called from that click. */
  resume(): void;
}

/** Whether the browser waits for a click before it plays sound, and what to do on that click. */
export function usePlayback(session: Session | null): PlaybackReading {
  const [blocked, setBlocked] = useState(false);
  useEffect(() => {
    const off = session?.on("playbackBlocked", (event) => setBlocked(event.blocked));
    return () => {
      off?.();
      setBlocked(false);
    };
  }, [session]);
  return { blocked, resume: () => void session?.resumePlayback() };
}
