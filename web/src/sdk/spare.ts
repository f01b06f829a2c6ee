import type { SocketLike } from "./types.js";

/** What became of a spare socket. */
export type SpareState = "opening" | "open" | "gone";

/**
 * A socket that opens beside the one in use while that one is asked whether it lives: a network that both of them are in
 * answers the question sooner than it opens a socket, so that nothing is lost by not waiting for the answer first.
 */
export class Spare {
  #socket: SocketLike;
  #state: SpareState = "opening";
  #patient = true;
  #timer: ReturnType<typeof setTimeout>;
  #decide: (state: SpareState) => void;

  /** `decide` is called once: when it is known whether the socket opens, but not before `leastMs`, and at the latest after `mostMs`. */
  constructor(socket: SocketLike, leastMs: number, mostMs: number, decide: (state: SpareState) => void) {
    this.#socket = socket;
    this.#decide = decide;
    socket.onopen = () => this.#become("open");
    socket.onclose = () => this.#become("gone");
    socket.onerror = () => {};
    this.#timer = setTimeout(() => {
      this.#patient = false;
      if (this.#state !== "opening") return this.#end();
      this.#timer = setTimeout(() => this.#end(), Math.max(0, mostMs - leastMs));
    }, leastMs);
  }

  /** Hands the socket over. */
  take(): SocketLike {
    clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onclose = null;
    return this.#socket;
  }

  /** It is not needed. One that is still opening may do so first: Firefox complains of others on the console. */
  close(): void {
    const socket = this.take();
    if (this.#state === "opening") socket.onopen = () => socket.close(1000);
    else socket.close(1000);
  }

  #become(state: SpareState): void {
    this.#state = state;
    if (!this.#patient) this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#decide(this.#state);
  }
}
