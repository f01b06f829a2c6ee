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

interface Pair {
  participantId: string;
  audio: string;
  /** The label that the picture bears. */
  video: string;
  /** The label that it will bear; the picture bears none meanwhile. */
  coming: string;
  /** First RTP timestamp of `coming`, once the server has said it. */
  from: number | undefined;
  /** RTP timestamp of the newest frame seen while waiting. */
  seen: number | undefined;
  /** A picture was labelled before, so that its last frame may still stand. */
  used: boolean;
}

/** Whether RTP timestamp a is not older than b, across the wrap at 2^32 (RFC 1982 arithmetic). */
export function notOlder(a: number, b: number): boolean {
  return (a - b) >>> 0 < 0x80000000;
}

/**
 * Who is on which slot. Sound changes its label at once. A picture loses its label when the server announces a change, and
 * gets the new one with the first frame of the new source, so that a name never stands under another's face.
 */
export class SlotLabels {
  #pairs = new Map<number, Pair>();

  /** Takes an announcement. */
  announce(notice: SlotNotice): void {
    const old = this.#pairs.get(notice.pair);
    const fresh = { participantId: notice.participantId, audio: notice.audio, from: undefined, seen: undefined };
    if (old && old.participantId === notice.participantId && (old.coming || old.video) === notice.video) {
      old.audio = notice.audio;
      return;
    }
    const used = old?.used ?? false;
    if (!notice.video) this.#pairs.set(notice.pair, { ...fresh, video: "", coming: "", used });
    else if (!used) this.#pairs.set(notice.pair, { ...fresh, video: notice.video, coming: "", used: true });
    else this.#pairs.set(notice.pair, { ...fresh, video: "", coming: notice.video, used });
  }

  /** Takes the start of a new source. */
  started(start: SlotStart): void {
    const pair = this.#pairs.get(start.pair);
    if (start.kind !== "video" || !pair || pair.coming !== start.publicationId) return;
    pair.from = start.rtpTimestamp;
    this.#settle(pair);
  }

  /** Takes a frame that is on the screen. */
  frame(index: number, rtpTimestamp: number): void {
    const pair = this.#pairs.get(index);
    if (!pair?.coming) return;
    pair.seen = rtpTimestamp;
    this.#settle(pair);
  }

  /** Stops waiting: the browser cannot say which frame it shows, or shows none. */
  giveUp(index: number): void {
    const pair = this.#pairs.get(index);
    if (!pair?.coming) return;
    pair.video = pair.coming;
    pair.coming = "";
  }

  /** Whether a pair waits for a frame, and whether the server has said for which. */
  waiting(index: number): "no" | "forStart" | "forFrame" {
    const pair = this.#pairs.get(index);
    if (!pair?.coming) return "no";
    return pair.from === undefined ? "forStart" : "forFrame";
  }

  /** All labels as they are now. */
  labels(): Label[] {
    const out: Label[] = [];
    for (const [pair, { participantId, audio, video }] of this.#pairs) {
      if (audio) out.push({ pair, kind: "audio", participantId, publicationId: audio });
      if (video) out.push({ pair, kind: "video", participantId, publicationId: video });
    }
    return out;
  }

  /** Whose video each pair carries, or is about to. */
  videos(): { pair: number; participantId: string; publicationId: string }[] {
    const out = [];
    for (const [pair, { participantId, video, coming }] of this.#pairs) {
      if (coming || video) out.push({ pair, participantId, publicationId: coming || video });
    }
    return out;
  }

  /** Forgets everything, with the PeerConnection that it was about. */
  reset(): void {
    this.#pairs.clear();
  }

  #settle(pair: Pair): void {
    if (pair.from === undefined || pair.seen === undefined || !notOlder(pair.seen, pair.from)) return;
    pair.video = pair.coming;
    pair.coming = "";
  }
}
