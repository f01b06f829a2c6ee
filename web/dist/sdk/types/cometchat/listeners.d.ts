/** Callbacks by name. Listeners are plain objects, or instances of the listener classes. */
export type Callbacks = Record<string, unknown>;
/** A named set of listeners, of which every one that has a callback of the raised name is called. */
export declare class Listeners {
    #private;
    /** Adds a listener under a key; the same key replaces. Gives back the undo. */
    add(key: unknown, listener: Callbacks): () => void;
    remove(key: unknown): void;
    clear(): void;
    /** Calls `name` of every listener. One that throws does not silence the others. */
    raise(name: string, ...values: unknown[]): void;
}
/** Makes a listener of an object of callbacks, as `new CometChat.CallListener({…})` does. */
export declare class Listener {
    [callback: string]: any;
    constructor(callbacks?: Callbacks);
}
/** Callbacks of signing in and out. */
export declare class LoginListener extends Listener {
}
/** Callbacks of ringing: see CallListener of CometChat's guides. */
export declare class CallListener extends Listener {
}
/** Callbacks of a running session in the older SDKs. */
export declare class OngoingCallListener extends Listener {
}
