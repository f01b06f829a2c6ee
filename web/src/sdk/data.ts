/** The JSON text of a data message to the server (docs/protocol.md, section 5). */
export function formatMessage({ to, topic, payload }: { to?: string[]; topic: string; payload: unknown }): string {
  return JSON.stringify({ to, topic, payload });
}

/** Reads a data message of the server; null for what is none. */
export function parseMessage(text: string): { participantId: string; topic: string; payload: unknown } | null {
  try {
    const { from, topic, payload } = JSON.parse(text) as { from?: unknown; topic?: unknown; payload?: unknown };
    return typeof from === "string" && typeof topic === "string" ? { participantId: from, topic, payload } : null;
  } catch {
    return null;
  }
}
