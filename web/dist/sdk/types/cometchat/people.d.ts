import type { Group as GroupInfo, User as UserInfo } from "../sdk/index.js";
/** A user, with the getters that CometChat's apps use. */
export declare class User {
    uid: string;
    name: string;
    avatar: string;
    status: string;
    role: string;
    constructor(user: UserInfo | string);
    getUid(): string;
    getName(): string;
    getAvatar(): string;
    getStatus(): string;
    getRole(): string;
}
/** A group, with the getters that CometChat's apps use. */
export declare class Group {
    guid: string;
    name: string;
    constructor(group: GroupInfo);
    getGuid(): string;
    getName(): string;
}
