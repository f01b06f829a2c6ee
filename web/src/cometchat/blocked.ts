import type { Parley } from "../sdk/index.js";
import { CometChatException } from "./exception.js";
import { User } from "./people.js";

/** Whose blocking is asked for. A Parley user sees their own list only. */
export const BLOCK_DIRECTIONS = { BLOCKED_BY_ME: "blockedByMe", HAS_BLOCKED_ME: "hasBlockedMe", BOTH: "both" } as const;

/** What became of each uid. */
export type BlockAnswer = Record<string, "success" | "fail">;

/** Blocks or unblocks each of some users. */
export async function changeBlocks(client: Parley, uids: string[], change: "block" | "unblock"): Promise<BlockAnswer> {
  const answer: BlockAnswer = {};
  for (const uid of uids) answer[uid] = await client.blocks[change](uid).then(() => "success" as const, () => "fail" as const);
  return answer;
}

/** Reads the list of blocked users page by page. */
export class BlockedUsersRequest {
  /** Values of setDirection. */
  static readonly directions = BLOCK_DIRECTIONS;
  readonly #need: () => Parley;
  readonly #limit: number | undefined;
  readonly #keyword: string;
  #next: string | undefined;
  #ended: boolean;

  /** @internal */
  constructor(wish: { limit?: number; keyword: string; nothing: boolean }, need: () => Parley) {
    this.#need = need;
    this.#limit = wish.limit;
    this.#keyword = wish.keyword.toLowerCase();
    this.#ended = wish.nothing;
  }

  /** The next page; empty when there are no more. */
  async fetchNext(): Promise<User[]> {
    try {
      const client = this.#need();
      while (!this.#ended) {
        const page = await client.blocks.page({ limit: this.#limit, cursor: this.#next });
        this.#next = page.next;
        this.#ended = page.next === undefined;
        const found = page.users.filter(({ uid, name }) => `${uid} ${name}`.toLowerCase().includes(this.#keyword));
        if (found.length > 0) return found.map((user) => new User(user));
      }
      return [];
    } catch (error) {
      throw CometChatException.from(error);
    }
  }
}

/** CometChat's builder of a request for the blocked users. */
export class BlockedUsersRequestBuilder {
  /** @internal Set by the entry point: the signed-in client. */
  static need: () => Parley = () => {
    throw new CometChatException({ code: "ERROR_NO_USER_LOGGED_IN", message: "Log in first." });
  };
  #limit: number | undefined;
  #keyword = "";
  #nothing = false;

  /** How many users a page has, 1–100. */
  setLimit(limit: number): this {
    this.#limit = Math.min(Math.max(1, Math.floor(limit)), 100);
    return this;
  }

  /** Who has blocked this user is told to nobody: `hasBlockedMe` finds nothing. */
  setDirection(direction: string): this {
    this.#nothing = direction === BLOCK_DIRECTIONS.HAS_BLOCKED_ME;
    return this;
  }

  /** Users with this in their uid or name. */
  setSearchKeyword(keyword: string): this {
    this.#keyword = keyword;
    return this;
  }

  /** The request. */
  build(): BlockedUsersRequest {
    return new BlockedUsersRequest({ limit: this.#limit, keyword: this.#keyword, nothing: this.#nothing }, () => BlockedUsersRequestBuilder.need());
  }
}
