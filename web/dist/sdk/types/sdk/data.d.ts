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
