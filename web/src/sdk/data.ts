import { Outbox } from "./outbox.js";

const MAX_MESSAGE_BYTES = 16 * 1024;

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
export class DataLine<P extends DataPeer> {
  #config: DataConfig<P>;
  #outbox = new Outbox();
  #peer: P | null = null;
  #channel: RTCDataChannel | null = null;
  /** The session uses data: its next PeerConnection has the channel from the start. */
  #wanted = false;
  #offered = false;

  constructor(config: DataConfig<P>) {
    this.#config = config;
  }

  /** Sends, or keeps until the channel is open; false for what is over 16 KiB. Throws when too much waits. */
  send(text: string): boolean {
    const { length } = new TextEncoder().encode(text);
    if (length > MAX_MESSAGE_BYTES) return false;
    this.#outbox.add(text, length);
    this.#drain();
    if (!this.#outbox.empty) this.open();
    return true;
  }

  /** Opens the channel, unless that is done or under way. */
  open(): void {
    this.#wanted = true;
    const peer = this.#peer;
    if (!peer || this.#offered) return;
    this.#use(peer);
    this.#config.offer(peer).catch(() => {
      // Signaling is away, or busy: the next message, or signaling's return, tries again.
      if (peer === this.#peer) this.#offered = false;
    });
  }

  /** Tries again what failed without signaling. */
  signalingRestored(): void {
    if (this.#wanted) this.open();
  }

  /** Goes on with another PeerConnection, which has not offered yet. What waits is kept. */
  moveTo(peer: P): void {
    this.close();
    this.#peer = peer;
    if (this.#wanted) this.#use(peer);
  }

  /** Leaves its PeerConnection. */
  close(): void {
    const channel = this.#channel;
    if (channel) channel.onopen = channel.onbufferedamountlow = channel.onmessage = channel.onclose = null;
    this.#channel = this.#peer = null;
    this.#offered = false;
  }

  #use(peer: P): void {
    this.#offered = true;
    const channel = peer.openChannel();
    this.#channel = channel;
    channel.onopen = channel.onbufferedamountlow = () => this.#drain();
    channel.onmessage = (event) => this.#config.message(String(event.data));
    channel.onclose = () => {
      if (channel === this.#channel) this.#offered = false;
    };
  }

  #drain(): void {
    const channel = this.#channel;
    if (channel?.readyState !== "open") return;
    try {
      this.#outbox.drain((text) => channel.send(text));
    } catch {
      // The browser's own buffer is full: what is left goes when that is empty.
    }
  }
}
