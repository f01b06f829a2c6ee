import { ParleyError } from "./errors.js";
import type { LocalParticipant, RemoteParticipant } from "./participants.js";
import type { HandChange } from "./session-types.js";
import type { Source } from "./types.js";

interface OrderConfig {
  local: LocalParticipant;
  others(): readonly RemoteParticipant[];
  /** Asks the server something about this session. */
  request(method: string, params: object): Promise<unknown>;
  /** Asks it to change something for good. */
  mutate(method: string, params: object): Promise<unknown>;
  changed(change: HandChange): void;
}

/** What keeps order in a session of many: raised hands, and what moderators do. */
export class Order {
  #config: OrderConfig;

  constructor(config: OrderConfig) {
    this.#config = config;
  }

  /** Who has a hand up, the longest first. */
  get hands(): (RemoteParticipant | LocalParticipant)[] {
    const up = [...this.#config.others(), this.#config.local].filter((p) => p.raisedAt !== undefined);
    return up.sort((a, b) => a.raisedAt! - b.raisedAt!);
  }

  /** Raises this device's hand, or lowers it or, for moderators, somebody else's. */
  async raise(raised: boolean, participantId?: string): Promise<void> {
    await this.#config.request("session.hand", { raised, participantId });
  }

  /** A hand went up or down. */
  heard({ participantId, raised, at }: { participantId: string; raised: boolean; at?: number }): void {
    const participant = this.#find(participantId);
    if (!participant || (participant.raisedAt !== undefined) === raised) return;
    participant.raisedAt = raised ? (at ?? Date.now()) : undefined;
    this.#config.changed({ participant, raised });
  }

  /** This device is a new participant after a rejoin, whose hand is down: it goes up again if it was. */
  joinedAgain(): void {
    if (this.#config.local.raisedAt !== undefined) this.raise(true).catch(() => {});
  }

  async mute(participantId: string, source: Source): Promise<void> {
    const participant = this.#config.others().find((p) => p.participantId === participantId);
    if (!participant) throw new ParleyError("ERR_PARTICIPANT_NOT_FOUND", "There is no such participant.");
    const publication = participant.publication(source);
    if (!publication) throw new ParleyError("ERR_PUBLICATION_NOT_FOUND", `They publish no ${source}.`);
    if (!publication.muted) await this.#config.request("session.muteOther", { publicationId: publication.publicationId });
  }

  async expel(participantId: string): Promise<void> {
    await this.#config.mutate("session.expel", { participantId });
  }

  #find(participantId: string): RemoteParticipant | LocalParticipant | undefined {
    const { local, others } = this.#config;
    return participantId === local.participantId ? local : others().find((p) => p.participantId === participantId);
  }
}
