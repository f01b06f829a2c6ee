/** Data messages that wait for the data channel, in their order. */
export declare class Outbox {
    #private;
    get empty(): boolean;
    /** Keeps a message of so many bytes; refuses one too many. */
    add(text: string, bytes: number): void;
    /** Hands all of them over, the oldest first; one that is refused stays, with those after it. */
    drain(send: (text: string) => void): void;
}
