/** A listener for one event. */
export type Listener<T> = (payload: T) => void;
/**
 * Typed events: `on` returns the function that takes the listener away again. A listener that throws does not keep the
 * others from hearing the event; its error is reported as an uncaught one, where developers look for it.
 */
export declare class Emitter<Events extends object> {
    #private;
    /** Calls `listener` for every `event` until the returned function is called. */
    on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void;
    /** Like `on`, for the next `event` only. */
    once<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void;
    /** Resolves with the next `event` that `accept` (default: any) agrees to. */
    next<K extends keyof Events>(event: K, accept?: (payload: Events[K]) => boolean): Promise<Events[K]>;
    /** Raises an event. Called by the SDK's own classes. */
    protected emit<K extends keyof Events>(event: K, payload: Events[K]): void;
}
