import type { Parley } from "../sdk/index.js";
import { User } from "./people.js";
/** Whose blocking is asked for. A Parley user sees their own list only. */
export declare const BLOCK_DIRECTIONS: {
    readonly BLOCKED_BY_ME: "blockedByMe";
    readonly HAS_BLOCKED_ME: "hasBlockedMe";
    readonly BOTH: "both";
};
/** What became of each uid. */
export type BlockAnswer = Record<string, "success" | "fail">;
/** Blocks or unblocks each of some users. */
export declare function changeBlocks(client: Parley, uids: string[], change: "block" | "unblock"): Promise<BlockAnswer>;
/** Reads the list of blocked users page by page. */
export declare class BlockedUsersRequest {
    #private;
    /** Values of setDirection. */
    static readonly directions: {
        readonly BLOCKED_BY_ME: "blockedByMe";
        readonly HAS_BLOCKED_ME: "hasBlockedMe";
        readonly BOTH: "both";
    };
    /** @internal */
    constructor(wish: {
        limit?: number;
        keyword: string;
        nothing: boolean;
    }, need: () => Parley);
    /** The next page; empty when there are no more. */
    fetchNext(): Promise<User[]>;
}
/** CometChat's builder of a request for the blocked users. */
export declare class BlockedUsersRequestBuilder {
    #private;
    /** @internal Set by the entry point: the signed-in client. */
    static need: () => Parley;
    /** How many users a page has, 1–100. */
    setLimit(limit: number): this;
    /** Who has blocked this user is told to nobody: `hasBlockedMe` finds nothing. */
    setDirection(direction: string): this;
    /** Users with this in their uid or name. */
    setSearchKeyword(keyword: string): this;
    /** The request. */
    build(): BlockedUsersRequest;
}
