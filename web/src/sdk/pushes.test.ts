import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeServer, alice, refusal } from "../testing/fakeserver.js";
import { MemoryStorage, Parley } from "./index.js";

const registration = { registrationId: "r_1", kind: "fcm", deviceId: "d_1", sandbox: false, registeredAt: 1 };

describe("pushes", () => {
  let server: FakeServer;
  let client: Parley;

  beforeEach(async () => {
    server = new FakeServer(alice);
    client = new Parley({ url: "http://host", token: "t", openSocket: server.open, deviceStorage: new MemoryStorage() });
    await client.connect();
  });
  afterEach(() => client.disconnect());

  it("registers a token, lists it and takes it back", async () => {
    server.answers["device.register"] = () => ({ device: registration });
    server.answers["device.list"] = () => ({ devices: [registration] });
    server.answers["device.unregister"] = () => ({});
    expect(await client.pushes.register({ kind: "fcm", token: "abc" })).toEqual(registration);
    expect(server.sent("device.register")[0]?.params).toEqual({ kind: "fcm", token: "abc", mutationId: expect.any(String) });
    expect(await client.pushes.list()).toEqual([registration]);
    await client.pushes.unregister("r_1");
    expect(server.sent("device.unregister")[0]?.params).toMatchObject({ registrationId: "r_1" });
  });

  it("sends of a browser's subscription what the protocol has", async () => {
    server.answers["device.register"] = () => ({ device: { ...registration, kind: "web" } });
    const json = { endpoint: "https://push.example/1", expirationTime: null, keys: { p256dh: "B", auth: "A" } };
    await client.pushes.register({ kind: "web", subscription: { ...json, toJSON: () => json } as unknown as PushSubscription });
    await client.pushes.register({ kind: "web", subscription: json });
    for (const { params } of server.sent("device.register")) {
      expect(params).toEqual({ kind: "web", subscription: { endpoint: json.endpoint, keys: json.keys }, mutationId: expect.any(String) });
    }
  });

  it("rejects with the server's code", async () => {
    server.answers["device.register"] = () => {
      throw refusal("ERR_PUSH_KIND_NOT_CONFIGURED");
    };
    await expect(client.pushes.register({ kind: "custom", token: "x" })).rejects.toMatchObject({ code: "ERR_PUSH_KIND_NOT_CONFIGURED" });
  });
});
