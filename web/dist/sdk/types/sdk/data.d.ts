/** The JSON text of a data message to the server (docs/protocol.md, section 5). */
export declare function formatMessage({ to, topic, payload }: {
    to?: string[];
    topic: string;
    payload: unknown;
}): string;
/** Reads a data message of the server; null for what is none. */
export declare function parseMessage(text: string): {
    participantId: string;
    topic: string;
    payload: unknown;
} | null;
/** What a data line needs of a PeerConnection. */
export interface DataPeer {
    /** The data channel, made at the first call and again when it is closed; an offer has to follow. */
    openChannel(): RTCDataChannel;
}
interface DataConfig<P extends DataPeer> {
    /** Offers what there is now. */
    offer(peer: P): Promise<void>;
    message(text: string): void;
}
/**
 * A session's data channel through all of its PeerConnections. It is opened when there is something to send, or when the server
 * says that something waits; until then it costs nobody anything. What is sent before it is open waits for it.
 */
export declare class DataLine<P extends DataPeer> {
    #private;
    constructor(config: DataConfig<P>);
    /** Sends, or keeps until the channel is open; false for what is over 16 KiB. Throws when too much waits. */
    send(text: string): boolean;
    /** Opens the channel, unless that is done or under way. */
    open(): void;
    /** Tries again what failed without signaling. */
    signalingRestored(): void;
    /** Goes on with another PeerConnection, which has not offered yet. What waits is kept. */
    moveTo(peer: P): void;
    /** Leaves its PeerConnection. */
    close(): void;
}
export {};
