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
export declare class Order {
    #private;
    constructor(config: OrderConfig);
    /** Who has a hand up, the longest first. */
    get hands(): (RemoteParticipant | LocalParticipant)[];
    /** Raises this device's hand, or lowers it or, for moderators, somebody else's. */
    raise(raised: boolean, participantId?: string): Promise<void>;
    /** A hand went up or down. */
    heard({ participantId, raised, at }: {
        participantId: string;
        raised: boolean;
        at?: number;
    }): void;
    /** This device is a new participant after a rejoin, whose hand is down: it goes up again if it was. */
    joinedAgain(): void;
    mute(participantId: string, source: Source): Promise<void>;
    expel(participantId: string): Promise<void>;
}
export {};
