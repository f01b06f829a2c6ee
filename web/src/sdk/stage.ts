import { Emitter } from "./emitter.js";
import { canWatchFrames, watchFrames } from "./frames.js";
import { RemoteParticipant } from "./participants.js";
import { SlotLabels, type SlotNotice, type SlotStart } from "./slots.js";
import type { PauseReason, SessionEvents } from "./session-types.js";
import type { ParticipantInfo, Quality, Source } from "./types.js";

/** After this a picture is labelled without having seen its frame: it may be still, hidden or late. */
const GIVE_UP_MS = 1_500;

type StageEvents = Pick<
  SessionEvents,
  "participantJoined" | "participantLeft" | "participantUpdated" | "trackAdded" | "trackRemoved" | "qualityChanged" | "videoPaused"
> & {
  /** Which video is on which pair may have changed. */
  arranged: Record<string, never>;
};

/** The receivers of a pair. */
export interface PairReceivers {
  audio: RTCRtpReceiver;
  video: RTCRtpReceiver;
}

interface Placed {
  participant: RemoteParticipant;
  source: Source;
  stream: MediaStream;
}

/**
 * Who is in the session and whose stream each received track is in. SlotLabels decides; the stage carries the tracks from
 * stream to stream until what is, is what the labels say.
 */
export class Stage extends Emitter<StageEvents> {
  #participants = new Map<string, RemoteParticipant>();
  #labels = new SlotLabels();
  #receivers: (pair: number) => PairReceivers | undefined;
  #placed = new Map<MediaStreamTrack, Placed>();
  #paused = new Map<number, PauseReason>();
  #watches = new Map<number, { stop: () => void; timer?: ReturnType<typeof setTimeout> }>();

  constructor(receivers: (pair: number) => PairReceivers | undefined) {
    super();
    this.#receivers = receivers;
  }

  get participants(): readonly RemoteParticipant[] {
    return [...this.#participants.values()];
  }

  get(participantId: string): RemoteParticipant | undefined {
    return this.#participants.get(participantId);
  }

  /** The videos that the pairs carry, or are about to. */
  videos(): { pair: number; participant: RemoteParticipant; source: Source }[] {
    return this.#labels.videos().flatMap(({ pair, participantId, publicationId }) => {
      const participant = this.#participants.get(participantId);
      const publication = participant?.publications.find((p) => p.publicationId === publicationId);
      return participant && publication ? [{ pair, participant, source: publication.source }] : [];
    });
  }

  /** Whose track this is. */
  readonly ownerOf = (track: MediaStreamTrack): { participantId: string; source: Source } | undefined => {
    const placed = this.#placed.get(track);
    return placed && { participantId: placed.participant.participantId, source: placed.source };
  };

  /** Takes the list of a (re)join: those who are not in it have left meanwhile. */
  reset(infos: ParticipantInfo[]): void {
    for (const pair of this.#watches.keys()) this.#unwatch(pair);
    this.#labels.reset();
    this.#paused.clear();
    this.#arrange();
    const present = new Set(infos.map((info) => info.participantId));
    for (const id of [...this.#participants.keys()]) if (!present.has(id)) this.left(id, "left");
    for (const info of infos) this.joined(info);
  }

  /** Somebody is there, or has changed. */
  joined(info: ParticipantInfo): void {
    const known = this.#participants.get(info.participantId);
    if (known) {
      known.update(info);
      this.#arrange();
      this.emit("participantUpdated", { participant: known });
      return;
    }
    const participant = new RemoteParticipant(info);
    this.#participants.set(info.participantId, participant);
    this.emit("participantJoined", { participant });
    this.#arrange();
  }

  left(participantId: string, reason: string): void {
    const participant = this.#participants.get(participantId);
    if (!participant) return;
    this.#participants.delete(participantId);
    this.#arrange();
    this.emit("participantLeft", { participant, reason });
  }

  slot(notice: SlotNotice): void {
    const before = this.#videoOn(notice.pair);
    this.#labels.announce(notice);
    if (this.#videoOn(notice.pair) !== before) this.#paused.delete(notice.pair);
    if (this.#labels.waiting(notice.pair) === "no") this.#unwatch(notice.pair);
    else this.#watch(notice.pair);
    this.#arrange();
  }

  slotStarted(start: SlotStart): void {
    this.#labels.started(start);
    const watch = this.#watches.get(start.pair);
    if (this.#labels.waiting(start.pair) === "forFrame") {
      if (watch && canWatchFrames()) watch.timer ??= setTimeout(() => this.#giveUp(start.pair), GIVE_UP_MS);
      else this.#giveUp(start.pair);
    }
    this.#arrange();
  }

  /** The video of a pair is paused, or sent again. */
  slotPaused({ pair, paused, reason }: { pair: number; paused: boolean; reason: PauseReason }): void {
    if (paused) this.#paused.set(pair, reason);
    else this.#paused.delete(pair);
    this.#arrange();
  }

  /** A participant's call is better or worse than before. */
  quality(participantId: string, quality: Quality): void {
    const participant = this.#participants.get(participantId);
    if (!participant) return;
    participant.quality = quality;
    this.emit("qualityChanged", { participant, quality });
  }

  /** The tracks have new receivers, after the pool grew. */
  refresh(): void {
    this.#arrange();
  }

  close(): void {
    for (const pair of this.#watches.keys()) this.#unwatch(pair);
    this.#labels.reset();
    this.#arrange();
  }

  #watch(pair: number): void {
    if (this.#watches.has(pair)) return;
    const receiver = this.#receivers(pair)?.video;
    if (!receiver) return;
    const stop = watchFrames(receiver, (rtpTimestamp) => {
      this.#labels.frame(pair, rtpTimestamp);
      this.#arrange();
    });
    this.#watches.set(pair, { stop });
  }

  #unwatch(pair: number): void {
    const watch = this.#watches.get(pair);
    if (!watch) return;
    watch.stop();
    clearTimeout(watch.timer);
    this.#watches.delete(pair);
  }

  #giveUp(pair: number): void {
    this.#labels.giveUp(pair);
    this.#arrange();
  }

  /** Makes the streams what the labels say. */
  #arrange(): void {
    for (const pair of this.#watches.keys()) if (this.#labels.waiting(pair) === "no") this.#unwatch(pair);
    const wanted = new Map<MediaStreamTrack, Placed>();
    for (const label of this.#labels.labels()) {
      const receivers = this.#receivers(label.pair);
      const participant = this.#participants.get(label.participantId);
      const publication = participant?.publications.find((p) => p.publicationId === label.publicationId);
      if (!receivers || !participant || !publication) continue;
      const { source } = publication;
      wanted.set(receivers[label.kind].track, { participant, source, stream: participant.streamOf(source) });
    }
    for (const [track, old] of [...this.#placed]) {
      if (wanted.get(track)?.stream === old.stream) continue;
      this.#placed.delete(track);
      old.stream.removeTrack(track);
      this.emit("trackRemoved", { ...old, track });
    }
    for (const [track, place] of wanted) {
      if (this.#placed.has(track)) continue;
      this.#placed.set(track, place);
      place.stream.addTrack(track);
      this.emit("trackAdded", { ...place, track });
    }
    this.#pause();
    this.emit("arranged", {});
  }

  /** Makes what is paused of each participant what the server says of the pairs. */
  #pause(): void {
    const videos = this.videos();
    for (const participant of this.#participants.values()) {
      for (const source of ["camera", "screen"] as const) {
        const on = videos.find((v) => v.participant === participant && v.source === source);
        const reason = on && this.#paused.get(on.pair);
        if (participant.setPaused(source, reason)) this.emit("videoPaused", { participant, source, paused: reason !== undefined, reason: reason ?? "" });
      }
    }
  }

  #videoOn(pair: number): string | undefined {
    return this.#labels.videos().find((v) => v.pair === pair)?.publicationId;
  }
}
