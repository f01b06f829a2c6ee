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
    getSessionId(): string;
    setSessionId(sessionId: string): void;
    getCallStatus(): string;
    getStatus(): string;
    getAction(): string;
    getType(): string;
    getCategory(): string;
    getReceiverType(): string;
    getReceiverId(): string;
    getReceiver(): User | Group | null;
    getSender(): User | null;
    getCallInitiator(): User | null;
    getCallReceiver(): User | Group | null;
    getInitiatedAt(): number;
    getJoinedAt(): number;
    getId(): string;
    getConversationId(): string;
    getSentAt(): number;
    getMetadata(): unknown;
    setMetadata(metadata: unknown): void;
    getData(): Record<string, unknown>;
    getRawData(): unknown;
    /** Makes the message "`by` did this to the call", as the user `me` sees it. */
    static fromInfo(info: CallInfo, by: UserInfo, me: string): Call;
}
