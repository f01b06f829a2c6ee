import type { Controls } from "./controls.js";
import type { Link } from "./link.js";
import type { Order } from "./order.js";
import type { LocalParticipant } from "./participants.js";
import type { SessionEvents } from "./session-types.js";
import type { Stage } from "./stage.js";
import type { Call, ParticipantInfo, Quality, User } from "./types.js";

interface NewsConfig {
  local: LocalParticipant;
  stage: Stage;
  link: Link;
  order: Order;
  controls: Controls;
  closed(reason: string, call: Call): void;
  emit<K extends keyof SessionEvents>(event: K, payload: SessionEvents[K]): void;
}

/** Takes the server's `session.*` events to whom they concern. What comes before a join is answered waits for that. */
export class News {
  /** Who spoke last. */
  speakerId = "";
  #config: NewsConfig;
  #early: [sessionId: string, name: string, data: unknown][] | null = [];

  constructor(config: NewsConfig) {
    this.#config = config;
  }

  /** Whether a join waits for its answer. */
  get waiting(): boolean {
    return this.#early !== null;
  }

  /** A join is on its way. */
  wait(): void {
    this.#early ??= [];
  }

  /** Keeps an event; until the answer, an entered session does not know which ones are its own. */
  keep(sessionId: string, name: string, data: unknown): void {
    // Slots and data follow an offer, so what comes for them now is about a PeerConnection that is given up.
    if (!name.startsWith("slot") && name !== "dataWaiting" && name !== "publish") this.#early?.push([sessionId, name, data]);
  }

  /** The join is answered. */
  release(sessionId: string): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const [id, name, data] of early) if (id === sessionId) this.hear(name, data);
  }

  hear(name: string, data: unknown): void {
    const { stage, link, order } = this.#config;
    switch (name) {
      case "closed": {
        const { reason, call } = data as { reason: string; call: Call };
        return this.#config.closed(reason, call);
      }
      case "joined":
      case "updated":
        return this.#present((data as { participant: ParticipantInfo }).participant);
      case "left": {
        const { participantId, reason } = data as { participantId: string; reason: string };
        return stage.left(participantId, reason);
      }
      case "slot":
        return stage.slot(data as Parameters<Stage["slot"]>[0]);
      case "slotStarted":
        return stage.slotStarted(data as Parameters<Stage["slotStarted"]>[0]);
      case "slotsNeeded":
        return link.needPairs((data as { pairs: number }).pairs);
      case "codec":
        return link.useCodec((data as { videoCodec: string }).videoCodec);
      case "dataWaiting":
        return link.openData();
      case "publish":
        return link.watched((data as { publications: Parameters<Link["watched"]>[0] }).publications);
      case "slotPaused":
        return stage.slotPaused(data as Parameters<Stage["slotPaused"]>[0]);
      case "speakers":
        return this.#speakers(data as { speaker: string; voices: string[] });
      case "quality":
        return this.#quality(data as Quality & { participantId: string });
      case "hand":
        return order.heard(data as Parameters<Order["heard"]>[0]);
      case "muted":
        return this.#muted(data as { publicationId: string; by: User });
    }
  }

  #present(info: ParticipantInfo): void {
    const { local, link, stage } = this.#config;
    if (info.participantId === local.participantId) link.ownPublications(info.publications);
    else stage.joined(info);
  }

  #speakers({ speaker, voices }: { speaker: string; voices: string[] }): void {
    const { local, stage, emit } = this.#config;
    this.speakerId = speaker;
    local.speaking = speaker === local.participantId;
    for (const participant of stage.participants) participant.speaking = participant.participantId === speaker;
    emit("speakersChanged", { speaker: stage.get(speaker), speakerId: speaker, voices });
  }

  #quality({ participantId, score, grade, cause }: Quality & { participantId: string }): void {
    const { local, stage, emit } = this.#config;
    const quality: Quality = { score, grade, cause };
    if (participantId !== local.participantId) return stage.quality(participantId, quality);
    local.quality = quality;
    emit("qualityChanged", { participant: local, quality });
  }

  /** A moderator has muted something of this device's. */
  #muted({ publicationId, by }: { publicationId: string; by: User }): void {
    const { link, controls, emit } = this.#config;
    const source = link.sourceOf(publicationId);
    if (!source) return;
    controls.silence(source).catch(() => {});
    emit("mutedByModerator", { source, by });
  }
}
