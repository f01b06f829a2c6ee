import type { Connection } from "./connection.js";
import { randomId } from "./ids.js";
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
export class Blocks {
  #owner: Owner;

  /** @internal */
  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Blocks a user; one who is blocked stays so. At most 1,000 (`ERR_TOO_MANY_BLOCKED`). */
  async block(uid: string): Promise<void> {
    await this.#owner.mutate("user.block", { uid, mutationId: randomId("m_") });
  }

  /** Unblocks a user; one who is not blocked stays so. */
  async unblock(uid: string): Promise<void> {
    await this.#owner.mutate("user.unblock", { uid, mutationId: randomId("m_") });
  }

  /** A page of those whom this user has blocked, by uid; `limit` is 1–100. */
  page(options: { cursor?: string; limit?: number } = {}): Promise<BlockedPage> {
    return this.#owner.connection.request<BlockedPage>("user.blocked", options);
  }

  /** Everybody whom this user has blocked. */
  async list(): Promise<User[]> {
    const users: User[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.page({ cursor });
      users.push(...page.users);
      cursor = page.next;
    } while (cursor);
    return users;
  }
}
