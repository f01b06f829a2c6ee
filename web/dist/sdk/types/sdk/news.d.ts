import type { Controls } from "./controls.js";
import type { Link } from "./link.js";
import type { Order } from "./order.js";
import type { LocalParticipant } from "./participants.js";
import type { SessionEvents } from "./session-types.js";
import type { Stage } from "./stage.js";
import type { Call } from "./types.js";
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
export declare class News {
    #private;
    /** Who spoke last. */
    speakerId: string;
    constructor(config: NewsConfig);
    /** Whether a join waits for its answer. */
    get waiting(): boolean;
    /** A join is on its way. */
    wait(): void;
    /** Keeps an event; until the answer, an entered session does not know which ones are its own. */
    keep(sessionId: string, name: string, data: unknown): void;
    /** The join is answered. */
    release(sessionId: string): void;
    hear(name: string, data: unknown): void;
}
export {};
