import { Emitter } from "./emitter.js";
import { RemoteParticipant } from "./participants.js";
import { type SlotNotice, type SlotStart } from "./slots.js";
import type { PauseReason, SessionEvents } from "./session-types.js";
import type { ParticipantInfo, Quality, Source } from "./types.js";
type StageEvents = Pick<SessionEvents, "participantJoined" | "participantLeft" | "participantUpdated" | "trackAdded" | "trackRemoved" | "qualityChanged" | "videoPaused"> & {
    /** Which video is on which pair may have changed. */
    arranged: Record<string, never>;
};
/** The receivers of a pair. */
export interface PairReceivers {
    audio: RTCRtpReceiver;
    video: RTCRtpReceiver;
}
/**
 * Who is in the session and whose stream each received track is in. SlotLabels decides; the stage carries the tracks from
 * stream to stream until what is, is what the labels say.
 */
export declare class Stage extends Emitter<StageEvents> {
    #private;
    constructor(receivers: (pair: number) => PairReceivers | undefined);
    get participants(): readonly RemoteParticipant[];
    get(participantId: string): RemoteParticipant | undefined;
    /** The videos that the pairs carry, or are about to. */
    videos(): {
        pair: number;
        participant: RemoteParticipant;
        source: Source;
    }[];
    /** Whose track this is. */
    readonly ownerOf: (track: MediaStreamTrack) => {
        participantId: string;
        source: Source;
    } | undefined;
    /** Takes the list of a (re)join: those who are not in it have left meanwhile. */
    reset(infos: ParticipantInfo[]): void;
    /** Somebody is there, or has changed. */
    joined(info: ParticipantInfo): void;
    left(participantId: string, reason: string): void;
    slot(notice: SlotNotice): void;
    slotStarted(start: SlotStart): void;
    /** The video of a pair is paused, or sent again. */
    slotPaused({ pair, paused, reason }: {
        pair: number;
        paused: boolean;
        reason: PauseReason;
    }): void;
    /** A participant's call is better or worse than before. */
    quality(participantId: string, quality: Quality): void;
    /** The tracks have new receivers, after the pool grew. */
    refresh(): void;
    close(): void;
}
export {};
