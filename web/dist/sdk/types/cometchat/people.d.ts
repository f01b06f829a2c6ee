import type { Group as GroupInfo, User as UserInfo } from "../sdk/index.js";
/** A user, with the getters that CometChat's apps use. */
export declare class User {
    uid: string;
    name: string;
    avatar: string;
    status: string;
    role: string;
    constructor(user: UserInfo | string);
    /** The field `uid`. */
    getUid(): string;
    /** The field `name`. */
    getName(): string;
    /** The field `avatar`. */
    getAvatar(): string;
    /** The field `status`. */
    getStatus(): string;
    /** The field `role`. */
    getRole(): string;
}
/** A group, with the getters that CometChat's apps use. */
export declare class Group {
    guid: string;
    name: string;
    constructor(group: GroupInfo);
    /** The field `guid`. */
    getGuid(): string;
    /** The field `name`. */
    getName(): string;
}
