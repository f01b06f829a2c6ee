import type { DeviceStorage } from "./types.js";

const KEY = "parley.deviceId";

/**
 * Keeps the device id per tab. A tab that the browser duplicated comes with a copy of the id; a Web Lock tells that the
 * original is still there, and then the copy goes without and gets an id of its own.
 */
export class TabStorage implements DeviceStorage {
  #held: string | null = null;
  #release: () => void = () => {};

  /** The id of this tab; null if it has none, or has a copy of another tab's. */
  async load(): Promise<string | null> {
    const id = read();
    if (id === null || id === this.#held) return id;
    return (await this.#hold(id)) ? id : null;
  }

  /** Keeps the id until the tab is closed. */
  async save(deviceId: string): Promise<void> {
    if (deviceId === this.#held) return;
    try {
      sessionStorage.setItem(KEY, deviceId);
    } catch {
      // Storage may be forbidden; the id then lasts as long as the page.
    }
    await this.#hold(deviceId);
  }

  /** Takes the lock of an id for as long as the page lives; false if another tab has it. */
  async #hold(id: string): Promise<boolean> {
    this.#release();
    this.#held = id;
    const locks = globalThis.navigator?.locks;
    if (!locks) return true;
    // A page that is being replaced by a reload gives its lock up late: wait a little.
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(), 500);
    return new Promise<boolean>((resolve) => {
      locks
        .request(`${KEY}:${id}`, { signal: waiting.signal }, () => {
          resolve(true);
          return new Promise<void>((release) => (this.#release = release));
        })
        .catch(() => {
          this.#held = null;
          resolve(false);
        });
    });
  }
}

function read(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Keeps the device id in memory, where there are no tabs. */
export class MemoryStorage implements DeviceStorage {
  #id: string | null = null;

  /** The id, if one was saved. */
  load(): string | null {
    return this.#id;
  }

  /** Keeps the id as long as this object. */
  save(deviceId: string): void {
    this.#id = deviceId;
  }
}
