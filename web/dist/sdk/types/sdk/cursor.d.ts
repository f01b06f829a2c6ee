/** Where a hello asks to go on. */
export interface Resume {
    connectionId: string;
    lastSeq: number;
}
/** The place in the numbered events of one connection: what to resume from, and which events are news. */
export declare class Cursor {
    #private;
    get lastSeq(): number;
    /** What to put into the next hello; undefined before the first. */
    get resume(): Resume | undefined;
    /** Takes the answer to a hello. A resumed connection goes on counting; any other starts where the server says. */
    welcome(connectionId: string, resumed: boolean, lastSeq: number): void;
    /** True for an event that was not seen before. Numbers only grow, so one comparison is enough. */
    accept(seq: number): boolean;
    /** Forgets the connection, after a sign-out. */
    reset(): void;
}
