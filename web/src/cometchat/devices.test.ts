import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryStorage } from "../sdk/index.js";
import { fakeMedia } from "../testing/fakemedia.js";
import { FakeServer, alice, callOf } from "../testing/fakeserver.js";
import { account, CometChat } from "./chat.js";
import { CometChatCalls } from "./calls.js";

const device = (kind: string, deviceId: string) => ({ kind, deviceId, label: deviceId.toUpperCase(), groupId: "" });
const [mic, headset, speaker, camera, usb] = [
  device("audioinput", "mic"), device("audioinput", "headset"), device("audiooutput", "speaker"), device("videoinput", "camera"), device("videoinput", "usb"),
];

let there: object[];
let browser: EventTarget;
let heard: [string, unknown][];

/** The browser's devices become these, and it says so. */
async function plug(...devices: object[]): Promise<void> {
  there = devices;
  browser.dispatchEvent(new Event("devicechange"));
  await settled();
}

/** Every promise of the fakes is through by the next task. */
const settled = () => new Promise((done) => setTimeout(done));

beforeEach(async () => {
  fakeMedia();
  there = [mic!, speaker!, camera!];
  const enumerateDevices = vi.fn(async () => [...there]);
  browser = Object.assign(new EventTarget(), navigator.mediaDevices, { enumerateDevices });
  vi.stubGlobal("navigator", { mediaDevices: browser });
  const server = new FakeServer(alice);
  server.answers["session.join"] = () => ({ participantId: "p_me", call: callOf({ status: "ongoing" }), iceServers: [], pairs: 1, videoCodec: "VP8", participants: [] });
  server.answers["session.offer"] = () => ({ sdp: "v=0" });
  account.clientOptions = { openSocket: server.open, deviceStorage: new MemoryStorage() };
  await CometChat.init("APP_ID", new CometChat.AppSettingsBuilder().overrideClientHost("http://host").build());
  await CometChat.login("a token");
  heard = [];
  const note = (name: string) => (value: unknown) => heard.push([name, value]);
  CometChatCalls.addMediaEventsListener("test", new Proxy({}, { get: (_, name) => (String(name).includes("Device") ? note(String(name)) : undefined) }));
  await CometChat.startCall("s1", null, new CometChat.OngoingCallListener({ onMediaDeviceListUpdated: note("onMediaDeviceListUpdated") }));
  await settled();
});

afterEach(async () => {
  await CometChatCalls.leaveSession();
  await CometChat.logout();
  vi.unstubAllGlobals();
});

describe("devices that come and go", () => {
  it("are told by kind, and as a whole to the older listener", async () => {
    expect(heard).toEqual([]);
    await plug(mic!, headset!, speaker!, camera!);
    expect(heard).toEqual([
      ["onAudioInputDevicesChanged", [mic, headset]],
      ["onMediaDeviceListUpdated", { audioInputDevices: [mic, headset], audioOutputDevices: [speaker], videoInputDevices: [camera] }],
    ]);
    heard = [];
    await plug(mic!, headset!, usb!);
    expect(heard.map(([name]) => name)).toEqual(["onAudioOutputDevicesChanged", "onVideoInputDevicesChanged", "onMediaDeviceListUpdated"]);
  });

  it("are no news when nothing is different, nor after the session", async () => {
    await plug(mic!, speaker!, camera!);
    await CometChatCalls.leaveSession();
    await plug(mic!, headset!);
    expect(heard).toEqual([]);
  });
});

describe("a device that is chosen", () => {
  it("is told once it is used, and not when it was used already", async () => {
    await plug(mic!, headset!, speaker!, camera!, usb!);
    heard = [];
    await CometChatCalls.setAudioInputDevice("headset");
    await CometChatCalls.setAudioInputDevice("headset");
    await CometChatCalls.setVideoInputDevice("usb");
    await CometChatCalls.setAudioOutputDevice("speaker");
    expect(heard).toEqual([["onAudioInputDeviceChanged", headset], ["onVideoInputDeviceChanged", usb], ["onAudioOutputDeviceChanged", speaker]]);
    expect(await CometChatCalls.getCurrentAudioInputDevice()).toEqual(headset);
  });

  it("is not told when it could not be used", async () => {
    heard = [];
    vi.spyOn(navigator.mediaDevices, "getUserMedia").mockRejectedValue(new DOMException("busy", "NotReadableError"));
    await expect(CometChatCalls.setAudioInputDevice("headset")).rejects.toBeInstanceOf(CometChat.CometChatException);
    expect(heard).toEqual([]);
  });
});
