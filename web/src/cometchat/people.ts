import type { Group as GroupInfo, User as UserInfo } from "../sdk/index.js";

/** A user, with the getters that CometChat's apps use. */
export class User {
  uid: string;
  name: string;
  avatar: string;
  status = "available";
  role = "default";

  constructor(user: UserInfo | string) {
    this.uid = typeof user === "string" ? user : user.uid;
    this.name = typeof user === "string" ? user : user.name || user.uid;
    this.avatar = typeof user === "string" ? "" : user.avatar;
  }

  /** The field `uid`. */
  getUid(): string {
    return this.uid;
  }

  /** The field `name`. */
  getName(): string {
    return this.name;
  }

  /** The field `avatar`. */
  getAvatar(): string {
    return this.avatar;
  }

  /** The field `status`. */
  getStatus(): string {
    return this.status;
  }

  /** The field `role`. */
  getRole(): string {
    return this.role;
  }
}

/** A group, with the getters that CometChat's apps use. */
export class Group {
  guid: string;
  name: string;

  constructor(group: GroupInfo) {
    this.guid = group.guid;
    this.name = group.name || group.guid;
  }

  /** The field `guid`. */
  getGuid(): string {
    return this.guid;
  }

  /** The field `name`. */
  getName(): string {
    return this.name;
  }
}
