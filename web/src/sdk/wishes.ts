import type { SlotWish } from "./session-types.js";
import type { View } from "./views.js";

/** What is wished for one pair (params of session.wish). */
export interface PairWish extends SlotWish {
  pair: number;
}

/** More is wanted: a picture should not wait. */
export const MORE_MS = 60;
/** Less is wanted: a page that is being rearranged, or looked away from for a moment, soon wants it back. */
export const LESS_MS = 1_000;
/** The server takes five a second. */
export const SPACING_MS = 250;
const RETRY_MS = 2_000;
/** Sizes are rounded up to this many pixels, so that not every one is worth a message. */
const GRAIN = 16;
const MAX_SIDE = 16_384;

/** The wish for a pair: what the application said of it, and for the rest how it is on the screen. */
export function wishFor(pair: number, view: View | undefined, said: SlotWish | undefined): PairWish | undefined {
  if (!view && !said) return undefined;
  const seen: SlotWish = !view ? {} : view.visible ? { width: grain(view.width), height: grain(view.height) } : { hidden: true };
  // Who says a size shows the picture, whatever the elements that are known do.
  if (said && (said.width !== undefined || said.height !== undefined)) delete seen.hidden;
  return { pair, ...seen, ...said };
}

function grain(pixels: number): number {
  return Math.min(MAX_SIDE, Math.ceil(pixels / GRAIN) * GRAIN);
}

/** Whether a list wants more of any pair than another one did. */
export function wantsMore(before: readonly PairWish[], after: readonly PairWish[]): boolean {
  const most = (wish: PairWish | undefined): number => {
    if (!wish) return Infinity; // everything
    if (wish.hidden || wish.paused) return 0;
    return (wish.width ?? MAX_SIDE) * (wish.height ?? MAX_SIDE) * (wish.pinned ? 2 : 1);
  };
  const pairs = new Set([...before, ...after].map(({ pair }) => pair));
  return [...pairs].some((pair) => most(after.find((w) => w.pair === pair)) > most(before.find((w) => w.pair === pair)));
}

/** Tells the server what is wished, when it has changed and not too often. */
export class Wishes {
  #read: () => PairWish[];
  #send: (wishes: PairWish[]) => Promise<unknown>;
  #told: PairWish[] = [];
  #toldAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;
  #closed = false;

  /** `read` says what is wished now; `send` tells it. */
  constructor(read: () => PairWish[], send: (wishes: PairWish[]) => Promise<unknown>) {
    this.#read = read;
    this.#send = send;
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#closed) return;
    const now = Date.now();
    const wishes = this.#read();
    if (JSON.stringify(wishes) === JSON.stringify(this.#told)) return this.#cancel();
    const wait = wantsMore(this.#told, wishes) ? MORE_MS : LESS_MS;
    this.#arm(now, Math.max(now + wait, this.#toldAt + SPACING_MS));
  }

  /** The server knows nothing any more: a new place in the session. */
  reset(): void {
    this.#told = [];
    this.#cancel();
    this.changed();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Tells at `due`, or earlier if that was planned. */
  #arm(now: number, due: number): void {
    if (this.#timer !== undefined && this.#due <= due) return;
    this.#cancel();
    this.#due = due;
    this.#timer = setTimeout(() => void this.#tell(), Math.max(0, due - now));
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = Infinity;
  }

  async #tell(): Promise<void> {
    this.#cancel();
    const wishes = this.#read();
    const before = this.#told;
    if (JSON.stringify(wishes) === JSON.stringify(before)) return;
    this.#told = wishes;
    this.#toldAt = Date.now();
    try {
      await this.#send(wishes);
    } catch {
      // Signaling is away, or was asked too often; with a new place in the session the list is another one meanwhile.
      if (this.#closed || this.#told !== wishes) return;
      this.#told = before;
      this.#arm(Date.now(), Date.now() + RETRY_MS);
    }
  }
}
