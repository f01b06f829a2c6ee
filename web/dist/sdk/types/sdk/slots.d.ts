/** What a pair of receive slots is about to carry (event session.slot). Publication ids, "" for none. */
export interface SlotNotice {
    pair: number;
    participantId: string;
    audio: string;
    video: string;
}
/** Where a new source starts on a slot (event session.slotStarted). */
export interface SlotStart {
    pair: number;
    kind: "audio" | "video";
    publicationId: string;
    rtpTimestamp: number;
}
/** Whose publication a slot shows now. */
export interface Label {
    pair: number;
    kind: "audio" | "video";
    participantId: string;
    publicationId: string;
}
/** Whether RTP timestamp a is not older than b, across the wrap at 2^32 (RFC 1982 arithmetic). */
export declare function notOlder(a: number, b: number): boolean;
/**
 * Who is on which slot. Sound changes its label at once. A picture loses its label when the server announces a change, and
 * gets the new one with the first frame of the new source, so that a name never stands under another's face.
 */
export declare class SlotLabels {
    #private;
    /** Takes an announcement. */
    announce(notice: SlotNotice): void;
    /** Takes the start of a new source. */
    started(start: SlotStart): void;
    /** Takes a frame that is on the screen. */
    frame(index: number, rtpTimestamp: number): void;
    /** Stops waiting: the browser cannot say which frame it shows, or shows none. */
    giveUp(index: number): void;
    /** Whether a pair waits for a frame, and whether the server has said for which. */
    waiting(index: number): "no" | "forStart" | "forFrame";
    /** All labels as they are now. */
    labels(): Label[];
    /** Whose video each pair carries, or is about to. */
    videos(): {
        pair: number;
        participantId: string;
        publicationId: string;
    }[];
    /** Forgets everything, with the PeerConnection that it was about. */
    reset(): void;
}
