import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryStorage } from "../sdk/index.js";
import { FakeServer, alice } from "../testing/fakeserver.js";
import { account, CometChat } from "./chat.js";
import { CometChatCalls } from "./calls.js";

let server: FakeServer;
let heard: [string, unknown][];

beforeEach(async () => {
  server = new FakeServer(alice);
  account.clientOptions = { openSocket: server.open, deviceStorage: new MemoryStorage() };
  await CometChat.init("APP_ID", new CometChat.AppSettingsBuilder().overrideClientHost("http://host").build());
  heard = [];
  const listener = (names: string[]) => Object.fromEntries(names.map((name) => [name, (value: unknown) => heard.push([name, value])]));
  CometChat.addLoginListener("app", new CometChat.LoginListener(listener(["loginSuccess", "loginFailure", "logoutSuccess", "logoutFailure"])));
  CometChatCalls.addLoginListener("app", listener(["onLoginSuccess", "onLoginFailure", "onLogoutSuccess", "onLogoutFailure"]));
});

afterEach(async () => {
  CometChat.removeLoginListener("app");
  CometChatCalls.removeLoginListener("app");
  await CometChat.logout();
  vi.unstubAllGlobals();
});

describe("login listeners", () => {
  it("hear of signing in and out by either SDK, each by its own names", async () => {
    await CometChat.login("a token");
    await CometChatCalls.logout();
    expect(heard).toMatchObject([["loginSuccess", { uid: "alice" }], ["onLoginSuccess", { uid: "alice" }], ["logoutSuccess", undefined], ["onLogoutSuccess", undefined]]);
  });

  it("hear why a sign-in failed", async () => {
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ code: "AUTH_ERR_NO_ACCESS", detail: "no" }), { status: 401 }));
    const error: unknown = await CometChatCalls.login("alice", "wrong").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CometChat.CometChatException);
    expect(heard).toEqual([["loginFailure", error], ["onLoginFailure", error]]);
  });

  it("hear of no sign-out when another user signs in", async () => {
    await CometChat.login("a token");
    heard = [];
    await CometChatCalls.loginWithAuthToken("another");
    expect(heard.map(([name]) => name)).toEqual(["loginSuccess", "onLoginSuccess"]);
  });

  it("hear nothing once they are removed", async () => {
    CometChat.removeLoginListener("app");
    await CometChat.login("a token");
    CometChatCalls.removeLoginListener("app");
    await CometChat.logout();
    expect(heard.map(([name]) => name)).toEqual(["onLoginSuccess"]);
  });
});

describe("the user's token", () => {
  it("is the one that was given, until the sign-out", async () => {
    expect(CometChatCalls.getUserAuthToken()).toBeNull();
    await CometChatCalls.loginWithAuthToken("a token");
    expect(CometChatCalls.getUserAuthToken()).toBe("a token");
    await CometChatCalls.logout();
    expect(CometChatCalls.getUserAuthToken()).toBeNull();
  });

  it("is the renewed one once the app was asked for it", async () => {
    const provider = vi.fn(async (reason: string) => (reason === "connect" ? "first" : "second"));
    server.answers["token.renew"] = () => ({});
    await CometChat.login(provider);
    expect(CometChatCalls.getUserAuthToken()).toBe("first");
    server.event("token.expiring", { expiresAt: Date.now() + 60_000 });
    await vi.waitFor(() => expect(CometChatCalls.getUserAuthToken()).toBe("second"));
    expect(server.sent("hello")[0]?.params["token"]).toBe("first");
  });
});
