import { measure, readPairs, type PairCounters } from "./measure.js";
import type { RemoteParticipant } from "./participants.js";
import type { Peer } from "./peer.js";
import type { SlotWish } from "./session-types.js";
import type { Source } from "./types.js";
import { Views } from "./views.js";
import { Wishes, wishFor, type PairWish } from "./wishes.js";

const MEASURE_EVERY_MS = 5_000;

interface AudienceConfig {
  /** The videos that the pairs carry now. */
  videos(): { pair: number; participant: RemoteParticipant; source: Source }[];
  online(): boolean;
  peer(): Peer | null;
  request(method: string, params: object): Promise<unknown>;
}

/** What a session tells the server of its receiving end: what can be used of each video, and how it arrives. */
export class Audience {
  #config: AudienceConfig;
  #views: Views;
  #wishes: Wishes;
  /** What the application said, by participant and source. */
  #said = new Map<string, SlotWish>();
  #timer: ReturnType<typeof setInterval>;
  #before: { peer: Peer; at: number; pairs: PairCounters[] } | undefined;

  constructor(config: AudienceConfig) {
    this.#config = config;
    this.#wishes = new Wishes(() => this.#read(), (slots) => config.request("session.wish", { slots }));
    this.#views = new Views(() => this.#wishes.changed());
    this.#timer = setInterval(() => void this.#measure().catch(() => {}), MEASURE_EVERY_MS);
  }

  /** Watches an element that plays a stream; gives back the undo. */
  watch(element: HTMLMediaElement, stream: MediaStream): () => void {
    return this.#views.watch(element, stream);
  }

  /** Takes the application's word about a video. */
  say(participantId: string, source: "camera" | "screen", wish: SlotWish | null): void {
    const key = `${participantId} ${source}`;
    if (wish) this.#said.set(key, { ...wish });
    else this.#said.delete(key);
    this.#wishes.changed();
  }

  /** The pairs may carry something else. */
  changed(): void {
    this.#wishes.changed();
  }

  /** The server knows nothing of this end any more. */
  reset(): void {
    this.#before = undefined;
    this.#wishes.reset();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#wishes.close();
    this.#views.close();
  }

  #read(): PairWish[] {
    const wishes: PairWish[] = [];
    for (const { pair, participant, source } of this.#config.videos()) {
      const view = this.#views.of(participant.streamOf(source));
      const wish = wishFor(pair, view, this.#said.get(`${participant.participantId} ${source}`));
      if (wish) wishes.push(wish);
    }
    return wishes.sort((a, b) => a.pair - b.pair);
  }

  async #measure(): Promise<void> {
    const peer = this.#config.peer();
    if (!peer || peer.connection.connectionState !== "connected" || !this.#config.online()) return;
    const pairs = await readPairs(peer.connection, (trackId) => peer.pairOf(trackId));
    const at = performance.now();
    const before = this.#before;
    this.#before = { peer, at, pairs };
    if (before?.peer !== peer) return;
    const slots = measure(before.pairs, pairs, (at - before.at) / 1000);
    if (slots.length > 0) await this.#config.request("session.stats", { slots });
  }
}
