import { ParleyError } from "./errors.js";

const MAX_MESSAGES = 64;
const MAX_BYTES = 256 * 1024;

/** Data messages that wait for the data channel, in their order. */
export class Outbox {
  #waiting: { text: string; bytes: number }[] = [];
  #bytes = 0;

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Keeps a message of so many bytes; refuses one too many. */
  add(text: string, bytes: number): void {
    if (this.#waiting.length >= MAX_MESSAGES || this.#bytes + bytes > MAX_BYTES) {
      throw new ParleyError("DATA_QUEUE_FULL", "Too many data messages wait for the connection; send this one again later.");
    }
    this.#waiting.push({ text, bytes });
    this.#bytes += bytes;
  }

  /** Hands all of them over, the oldest first; one that is refused stays, with those after it. */
  drain(send: (text: string) => void): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      send(first.text);
      this.#waiting.shift();
      this.#bytes -= first.bytes;
    }
  }
}
