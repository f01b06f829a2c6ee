import { randomId } from "./ids.js";
import type { Connection } from "./connection.js";

/** Where a device is pushed. `web` takes a browser's PushSubscription, every other kind a token. */
export type PushKind = "fcm" | "apnsVoip" | "apns" | "web" | "custom";

/** What to register. `sandbox` is for APNs tokens of development builds. */
export type PushTarget =
  | { kind: Exclude<PushKind, "web">; token: string; sandbox?: boolean }
  | { kind: "web"; subscription: PushSubscription | PushSubscriptionJSON };

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
export class Pushes {
  #owner: Owner;

  /** @internal */
  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Registers a token or subscription; again is the same. A token of another user's is this user's from now on. */
  async register(target: PushTarget): Promise<PushRegistration> {
    const { device } = await this.#owner.mutate<{ device: PushRegistration }>("device.register", { ...paramsOf(target), mutationId: randomId("m_") });
    return device;
  }

  /** Takes a registration back; one that is gone is no error. */
  async unregister(registrationId: string): Promise<void> {
    await this.#owner.mutate("device.unregister", { registrationId, mutationId: randomId("m_") });
  }

  /** This user's registrations, the newest last. */
  async list(): Promise<PushRegistration[]> {
    return (await this.#owner.connection.request<{ devices: PushRegistration[] }>("device.list", {})).devices;
  }
}

function paramsOf(target: PushTarget): object {
  if (target.kind !== "web") return { kind: target.kind, token: target.token, sandbox: target.sandbox };
  const { subscription } = target;
  const { endpoint, keys } = "toJSON" in subscription ? subscription.toJSON() : subscription;
  return { kind: "web", subscription: { endpoint, keys: { p256dh: keys?.["p256dh"], auth: keys?.["auth"] } } };
}
