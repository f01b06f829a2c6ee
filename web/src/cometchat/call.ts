import type { Call as CallInfo, User as UserInfo } from "../sdk/index.js";
import { Group, User } from "./people.js";

/** Epoch seconds, as CometChat counts; 0 for what has not happened. */
const seconds = (ms: number | undefined): number => (ms ? Math.floor(ms / 1000) : 0);

type Receiver = CallInfo["receiver"];

const isKind = (value: string): boolean => value === "user" || value === "group";

/**
 * A call as a message about it: `sender` is who did what `action` says, `receiver` whom the message is for, `callInitiator`
 * and `callReceiver` stay the same through the call.
 */
export class Call {
  sessionId = "";
  status = "";
  /** The name of `status` on Android and Flutter. */
  callStatus = "";
  action = "";
  category = "call";
  type: string;
  receiverType: string;
  receiverId: string;
  receiver: User | Group | null = null;
  sender: User | null = null;
  callInitiator: User | null = null;
  callReceiver: User | Group | null = null;
  initiatedAt = 0;
  startedAt = 0;
  joinedAt = 0;
  endedAt = 0;
  /** Seconds from acceptance to the end, once it has ended. */
  duration = 0;
  id = "";
  conversationId = "";
  sentAt = 0;
  updatedAt = 0;
  metadata: unknown = undefined;
  data: Record<string, unknown> = {};
  rawData: unknown = undefined;

  /** The order of JavaScript; with Android's order (receiver, receiverType, callType) it finds its way as well. */
  constructor(receiverId: string, callType: string, receiverType: string) {
    const swapped = isKind(callType) && !isKind(receiverType);
    this.receiverId = receiverId;
    this.type = swapped ? receiverType : callType;
    this.receiverType = swapped ? callType : receiverType;
  }

  /** The field `sessionId`. */
  getSessionId(): string {
    return this.sessionId;
  }

  /** Sets the field `sessionId`. */
  setSessionId(sessionId: string): void {
    this.sessionId = sessionId;
  }

  /** The field `status`. */
  getCallStatus(): string {
    return this.status;
  }

  /** The field `status`. */
  getStatus(): string {
    return this.status;
  }

  /** The field `action`. */
  getAction(): string {
    return this.action;
  }

  /** The field `type`. */
  getType(): string {
    return this.type;
  }

  /** The field `category`. */
  getCategory(): string {
    return this.category;
  }

  /** The field `receiverType`. */
  getReceiverType(): string {
    return this.receiverType;
  }

  /** The field `receiverId`. */
  getReceiverId(): string {
    return this.receiverId;
  }

  /** The field `receiver`. */
  getReceiver(): User | Group | null {
    return this.receiver;
  }

  /** The field `sender`. */
  getSender(): User | null {
    return this.sender;
  }

  /** The field `callInitiator`. */
  getCallInitiator(): User | null {
    return this.callInitiator;
  }

  /** The field `callReceiver`. */
  getCallReceiver(): User | Group | null {
    return this.callReceiver;
  }

  /** The field `initiatedAt`. */
  getInitiatedAt(): number {
    return this.initiatedAt;
  }

  /** The field `joinedAt`. */
  getJoinedAt(): number {
    return this.joinedAt;
  }

  /** The field `id`. */
  getId(): string {
    return this.id;
  }

  /** The field `conversationId`. */
  getConversationId(): string {
    return this.conversationId;
  }

  /** The field `sentAt`. */
  getSentAt(): number {
    return this.sentAt;
  }

  /** The field `metadata`. */
  getMetadata(): unknown {
    return this.metadata;
  }

  /** Sets the field `metadata`. */
  setMetadata(metadata: unknown): void {
    this.metadata = metadata;
  }

  /** The field `data`. */
  getData(): Record<string, unknown> {
    return this.data;
  }

  /** The field `rawData`. */
  getRawData(): unknown {
    return this.rawData;
  }

  /** Makes the message "`by` did this to the call", as the user `me` sees it. */
  static fromInfo(info: CallInfo, by: UserInfo, me: string): Call {
    const grouped = info.receiverType !== "user";
    const other = grouped || by.uid === info.initiator.uid ? info.receiver : info.initiator;
    const call = new Call(idOf(other), info.type, info.receiverType);
    const joined = info.members.find((m) => m.user.uid === me)?.joinedAt;
    call.sessionId = info.sessionId;
    call.status = call.callStatus = call.action = info.status;
    call.receiver = personOf(other);
    call.sender = new User(by);
    call.callInitiator = new User(info.initiator);
    call.callReceiver = personOf(info.receiver);
    call.initiatedAt = seconds(info.initiatedAt);
    call.startedAt = seconds(info.startedAt);
    call.joinedAt = seconds(joined ?? info.startedAt ?? info.initiatedAt);
    call.endedAt = seconds(info.endedAt);
    call.duration = info.startedAt && info.endedAt ? seconds(info.endedAt - info.startedAt) : 0;
    call.sentAt = call.updatedAt = seconds(info.endedAt ?? info.startedAt ?? info.initiatedAt);
    // Every action is a message of its own.
    call.id = `${info.sessionId}.${info.status}`;
    call.conversationId = grouped
      ? `group_${idOf(info.receiver)}`
      : [info.initiator.uid, idOf(info.receiver)].sort().join("_user_");
    call.metadata = info.metadata;
    call.data = dataOf(info, call);
    call.rawData = info;
    return call;
  }
}

function idOf(party: Receiver): string {
  if ("uid" in party) return party.uid;
  return "guid" in party ? party.guid : party.session;
}

/** A session that nobody was called to is CometChat's group of that name. */
function personOf(party: Receiver): User | Group {
  return "uid" in party ? new User(party) : new Group({ guid: idOf(party), name: party.name });
}

const entity = (value: User | Group | null) => ({ entityType: value instanceof Group ? "group" : "user", entity: value });

/** The nested form in which CometChat's wire message carries the same. */
function dataOf(info: CallInfo, call: Call): Record<string, unknown> {
  return {
    action: call.action,
    entities: {
      by: entity(call.sender),
      for: entity(call.receiver),
      on: {
        entityType: "call",
        entity: {
          sessionid: info.sessionId,
          sender: info.initiator.uid,
          receiver: idOf(info.receiver),
          receiverType: info.receiverType,
          status: info.status,
          type: info.type,
          initiatedAt: call.initiatedAt,
          startedAt: call.startedAt || undefined,
          joinedAt: call.joinedAt,
          data: { entities: { sender: entity(call.callInitiator), receiver: entity(call.callReceiver) } },
        },
      },
    },
  };
}
