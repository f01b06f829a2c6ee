import type { Connection } from "./connection.js";
import type { User } from "./types.js";
/** Some of those whom a user has blocked. */
export interface BlockedPage {
    users: User[];
    /** The cursor of the next page; absent on the last. */
    next?: string;
}
/** What Blocks needs of the client that it belongs to. */
interface Owner {
    connection: Connection;
    mutate<T>(method: string, params: object): Promise<T>;
}
/** Whom this user has blocked: neither of the two can ring the other. Each is refused with an error of its own. */
export declare class Blocks {
    #private;
    /** @internal */
    constructor(owner: Owner);
    /** Blocks a user; one who is blocked stays so. At most 1,000 (`ERR_TOO_MANY_BLOCKED`). */
    block(uid: string): Promise<void>;
    /** Unblocks a user; one who is not blocked stays so. */
    unblock(uid: string): Promise<void>;
    /** A page of those whom this user has blocked, by uid; `limit` is 1–100. */
    page(options?: {
        cursor?: string;
        limit?: number;
    }): Promise<BlockedPage>;
    /** Everybody whom this user has blocked. */
    list(): Promise<User[]>;
}
export {};
