import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryStorage } from "../sdk/index.js";
import { FakeServer, alice, callOf, refusal } from "../testing/fakeserver.js";
import { account, CometChat } from "./chat.js";
import { CometChatNotifications } from "./notifications.js";

let server: FakeServer;

beforeEach(async () => {
  server = new FakeServer(alice);
  server.answers["device.register"] = ({ kind }) => ({ device: { registrationId: `r_${String(kind)}`, kind, deviceId: "d", sandbox: false, registeredAt: 1 } });
  server.answers["device.unregister"] = () => ({});
  account.clientOptions = { openSocket: server.open, deviceStorage: new MemoryStorage() };
  await CometChat.init("APP_ID", new CometChat.AppSettingsBuilder().setRegion("us").overrideClientHost("http://host").build());
  await CometChat.login("a token");
});
afterEach(() => CometChat.logout());

const kinds = () => server.sent("device.register").map(({ params }) => params["kind"]);

describe("registering for pushes as CometChat's apps do", () => {
  it("knows whose token it is", async () => {
    const apple = "ab".repeat(32);
    await CometChat.registerTokenForPushNotification("fcm:APA91-token");
    await CometChat.registerTokenForPushNotification(apple);
    await CometChat.registerTokenForPushNotification(apple, { voip: true });
    await CometChat.registerTokenForPushNotification({ endpoint: "https://push.example/1", keys: { p256dh: "B", auth: "A" } });
    expect(kinds()).toEqual(["fcm", "apns", "apnsVoip", "web"]);
  });

  it("takes the callbacks of the Android guide", async () => {
    const callbacks = { onSuccess: vi.fn(), onError: vi.fn() };
    await CometChat.registerTokenForPushNotification("token", callbacks);
    expect(callbacks.onSuccess).toHaveBeenCalledOnce();
    server.answers["device.register"] = () => {
      throw refusal("ERR_PUSH_KIND_NOT_CONFIGURED");
    };
    await CometChat.registerTokenForPushNotification("token", callbacks);
    expect(callbacks.onError.mock.calls[0]?.[0]).toMatchObject({ code: "ERR_PUSH_KIND_NOT_CONFIGURED" });
    await expect(CometChat.registerTokenForPushNotification("token")).rejects.toBeInstanceOf(CometChat.CometChatException);
  });

  it("maps the platforms of the newer API", async () => {
    const { PushPlatforms } = CometChatNotifications;
    await CometChatNotifications.registerPushToken("token", PushPlatforms.FCM_ANDROID, "provider");
    await CometChatNotifications.registerPushToken("token", PushPlatforms.APNS_IOS_VOIP);
    await CometChatNotifications.registerPushToken("token", PushPlatforms.APNS_FLUTTER_DEVICE);
    expect(kinds()).toEqual(["fcm", "apnsVoip", "apns"]);
    await expect(CometChatNotifications.registerPushToken("token", "PIGEON")).rejects.toMatchObject({ code: "ERR_BAD_REQUEST" });
    await CometChatNotifications.unregisterPushToken();
    expect(server.sent("device.unregister").map(({ params }) => params["registrationId"])).toEqual(["r_fcm", "r_apnsVoip", "r_apns"]);
  });

  it("rings no more after the sign-out", async () => {
    await CometChat.registerTokenForPushNotification("token");
    await CometChat.logout();
    expect(server.sent("device.unregister")).toHaveLength(1);
  });
});

describe("a device that only a push has woken", () => {
  it("accepts a call that it never heard of", async () => {
    server.answers["call.accept"] = () => ({ call: callOf({ status: "ongoing" }) });
    expect((await CometChat.acceptCall("s1")).getCallStatus()).toBe("ongoing");
  });

  it("is told when it comes too late", async () => {
    server.answers["call.accept"] = () => {
      throw refusal("ERR_CALL_TERMINATED", { call: callOf({ status: "cancelled" }) });
    };
    await expect(CometChat.acceptCall("s1")).rejects.toMatchObject({ code: "ERR_CALL_TERMINATED" });
  });
});
