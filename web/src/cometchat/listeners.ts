/** Callbacks by name. Listeners are plain objects, or instances of the listener classes. */
export type Callbacks = Record<string, unknown>;

/** A named set of listeners, of which every one that has a callback of the raised name is called. */
export class Listeners {
  #set = new Map<unknown, Callbacks>();

  /** Adds a listener under a key; the same key replaces. Gives back the undo. */
  add(key: unknown, listener: Callbacks): () => void {
    this.#set.set(key, listener);
    return () => {
      if (this.#set.get(key) === listener) this.#set.delete(key);
    };
  }

  remove(key: unknown): void {
    this.#set.delete(key);
  }

  clear(): void {
    this.#set.clear();
  }

  /** Calls `name` of every listener. One that throws does not silence the others. */
  raise(name: string, ...values: unknown[]): void {
    for (const listener of [...this.#set.values()]) {
      const callback = listener[name];
      if (typeof callback !== "function") continue;
      try {
        callback.apply(listener, values);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Makes a listener of an object of callbacks, as `new CometChat.CallListener({…})` does. */
export class Listener {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [callback: string]: any;

  constructor(callbacks: Callbacks = {}) {
    Object.assign(this, callbacks);
  }
}

/** Callbacks of signing in and out. */
export class LoginListener extends Listener {}
/** Callbacks of ringing: see CallListener of CometChat's guides. */
export class CallListener extends Listener {}
/** Callbacks of a running session in the older SDKs. */
export class OngoingCallListener extends Listener {}
