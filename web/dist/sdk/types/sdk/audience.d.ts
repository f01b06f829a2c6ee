import type { RemoteParticipant } from "./participants.js";
import type { Peer } from "./peer.js";
import type { SlotWish } from "./session-types.js";
import type { Source } from "./types.js";
interface AudienceConfig {
    /** The videos that the pairs carry now. */
    videos(): {
        pair: number;
        participant: RemoteParticipant;
        source: Source;
    }[];
    online(): boolean;
    peer(): Peer | null;
    request(method: string, params: object): Promise<unknown>;
}
/** What a session tells the server of its receiving end: what can be used of each video, and how it arrives. */
export declare class Audience {
    #private;
    constructor(config: AudienceConfig);
    /** Watches an element that plays a stream; gives back the undo. */
    watch(element: HTMLMediaElement, stream: MediaStream): () => void;
    /** Takes the application's word about a video. */
    say(participantId: string, source: "camera" | "screen", wish: SlotWish | null): void;
    /** The pairs may carry something else. */
    changed(): void;
    /** The server knows nothing of this end any more. */
    reset(): void;
    close(): void;
}
export {};
