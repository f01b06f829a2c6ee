import type { Call as CallInfo, User as UserInfo } from "../sdk/index.js";
import { Group, User } from "./people.js";
/**
 * A call as a message about it: `sender` is who did what `action` says, `receiver` whom the message is for, `callInitiator`
 * and `callReceiver` stay the same through the call.
 */
export declare class Call {
    sessionId: string;
    status: string;
    /** The name of `status` on Android and Flutter. */
    callStatus: string;
    action: string;
    category: string;
    type: string;
    receiverType: string;
    receiverId: string;
    receiver: User | Group | null;
    sender: User | null;
    callInitiator: User | null;
    callReceiver: User | Group | null;
    initiatedAt: number;
    startedAt: number;
    joinedAt: number;
    endedAt: number;
    /** Seconds from acceptance to the end, once it has ended. */
    duration: number;
    id: string;
    conversationId: string;
    sentAt: number;
    updatedAt: number;
    metadata: unknown;
    data: Record<string, unknown>;
    rawData: unknown;
    /** The order of JavaScript; with Android's order (receiver, receiverType, callType) it finds its way as well. */
    constructor(receiverId: string, callType: string, receiverType: string);
    /** The field `sessionId`. */
    getSessionId(): string;
    /** Sets the field `sessionId`. */
    setSessionId(sessionId: string): void;
    /** The field `status`. */
    getCallStatus(): string;
    /** The field `status`. */
    getStatus(): string;
    /** The field `action`. */
    getAction(): string;
    /** The field `type`. */
    getType(): string;
    /** The field `category`. */
    getCategory(): string;
    /** The field `receiverType`. */
    getReceiverType(): string;
    /** The field `receiverId`. */
    getReceiverId(): string;
    /** The field `receiver`. */
    getReceiver(): User | Group | null;
    /** The field `sender`. */
    getSender(): User | null;
    /** The field `callInitiator`. */
    getCallInitiator(): User | null;
    /** The field `callReceiver`. */
    getCallReceiver(): User | Group | null;
    /** The field `initiatedAt`. */
    getInitiatedAt(): number;
    /** The field `joinedAt`. */
    getJoinedAt(): number;
    /** The field `id`. */
    getId(): string;
    /** The field `conversationId`. */
    getConversationId(): string;
    /** The field `sentAt`. */
    getSentAt(): number;
    /** The field `metadata`. */
    getMetadata(): unknown;
    /** Sets the field `metadata`. */
    setMetadata(metadata: unknown): void;
    /** The field `data`. */
    getData(): Record<string, unknown>;
    /** The field `rawData`. */
    getRawData(): unknown;
    /** Makes the message "`by` did this to the call", as the user `me` sees it. */
    static fromInfo(info: CallInfo, by: UserInfo, me: string): Call;
}
