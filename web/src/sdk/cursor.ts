/** Where a hello asks to go on. */
export interface Resume {
  connectionId: string;
  lastSeq: number;
}

/** The place in the numbered events of one connection: what to resume from, and which events are news. */
export class Cursor {
  #connectionId = "";
  #lastSeq = 0;

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What to put into the next hello; undefined before the first. */
  get resume(): Resume | undefined {
    return this.#connectionId ? { connectionId: this.#connectionId, lastSeq: this.#lastSeq } : undefined;
  }

  /** Takes the answer to a hello. A resumed connection goes on counting; any other starts where the server says. */
  welcome(connectionId: string, resumed: boolean, lastSeq: number): void {
    this.#connectionId = connectionId;
    if (!resumed) this.#lastSeq = lastSeq;
  }

  /** True for an event that was not seen before. Numbers only grow, so one comparison is enough. */
  accept(seq: number): boolean {
    if (!(seq > this.#lastSeq)) return false;
    this.#lastSeq = seq;
    return true;
  }

  /** Forgets the connection, after a sign-out. */
  reset(): void {
    this.#connectionId = "";
    this.#lastSeq = 0;
  }
}
