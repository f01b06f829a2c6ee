import type { Connection } from "./connection.js";
/** Where a device is pushed. `web` takes a browser's PushSubscription, every other kind a token. */
export type PushKind = "fcm" | "apnsVoip" | "apns" | "web" | "custom";
/** What to register. `sandbox` is for APNs tokens of development builds. */
export type PushTarget = {
    kind: Exclude<PushKind, "web">;
    token: string;
    sandbox?: boolean;
} | {
    kind: "web";
    subscription: PushSubscription | PushSubscriptionJSON;
};
/** A registration as the server keeps it. Tokens go in and never out. */
export interface PushRegistration {
    registrationId: string;
    kind: PushKind;
    /** The device that registered; empty when it is not known. */
    deviceId: string;
    sandbox: boolean;
    /** Unix milliseconds. */
    registeredAt: number;
}
/** What Pushes needs of the client that it belongs to. */
interface Owner {
    connection: Connection;
    mutate<T>(method: string, params: object): Promise<T>;
}
/** Where this user wants to be told of calls when no page or app of theirs is connected. */
export declare class Pushes {
    #private;
    /** @internal */
    constructor(owner: Owner);
    /** Registers a token or subscription; again is the same. A token of another user's is this user's from now on. */
    register(target: PushTarget): Promise<PushRegistration>;
    /** Takes a registration back; one that is gone is no error. */
    unregister(registrationId: string): Promise<void>;
    /** This user's registrations, the newest last. */
    list(): Promise<PushRegistration[]>;
}
export {};
