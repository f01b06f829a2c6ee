/** What Chromium knows of the network in use (Network Information API); other browsers have less of it, or nothing. */
interface NetworkInformation extends EventTarget {
  /** wifi, cellular, ethernet and so on; absent where the browser does not tell. */
  type?: string;
}

/** Calls `changed` when the browser says that this device has another network, or one again. */
export class NetworkChange {
  #changed: () => void;
  #online = () => this.#changed();
  #information = (globalThis.navigator as (Navigator & { connection?: NetworkInformation }) | undefined)?.connection;
  #type = this.#information?.type;
  // The event also comes with every new estimate of speed, which is no other network.
  #other = () => {
    const type = this.#information?.type;
    if (type === this.#type || type === "none") return;
    this.#type = type;
    this.#changed();
  };

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  watch(): void {
    globalThis.addEventListener?.("online", this.#online);
    this.#information?.addEventListener?.("change", this.#other);
  }

  close(): void {
    globalThis.removeEventListener?.("online", this.#online);
    this.#information?.removeEventListener?.("change", this.#other);
  }
}
