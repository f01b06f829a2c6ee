import { describe, expect, it } from "vitest";
import { AppSettingsBuilder, CallSettingsBuilder, SessionSettingsBuilder, choicesOf, serverOf } from "./settings.js";

describe("builders", () => {
  it("chain over options that they know and that they do not", () => {
    const settings = new AppSettingsBuilder()
      .setRegion("us")
      .subscribePresenceForAllUsers()
      .autoEstablishSocketConnection(true)
      .overrideAdminHost("calls.example")
      .build();
    expect(serverOf(settings)).toBe("calls.example");
  });

  it("name no server unless told", () => {
    expect(serverOf(new AppSettingsBuilder().setRegion("eu").build())).toBeUndefined();
    expect(serverOf(undefined)).toBeUndefined();
  });

  it("read the newer session settings", () => {
    const settings = new SessionSettingsBuilder().setType("VOICE").startAudioMuted(true).setLayout("TILE").hideScreenSharingButton(true).build();
    expect(choicesOf(settings)).toMatchObject({ audioOnly: true, startAudioMuted: true, startVideoPaused: false, controls: { screen: false, leave: true } });
  });

  it("read plain objects, as the newer SDK also takes them", () => {
    expect(choicesOf({ sessionType: "VIDEO", startVideoPaused: true, hideControlPanel: true, audioInputDeviceId: "mic" })).toMatchObject({
      audioOnly: false,
      startVideoPaused: true,
      devices: { microphoneId: "mic" },
      controls: { bar: false },
    });
  });

  it("read the older call settings, whatever the spelling of the id", () => {
    const listener = { onCallEnded: () => {} };
    const settings = new CallSettingsBuilder()
      .setSessionID("s1")
      .setIsAudioOnlyCall(true)
      .enableDefaultLayout(true)
      .showEndCallButton(false)
      .startWithVideoMuted(true)
      .setCallListener(listener)
      .build();
    expect(choicesOf(settings)).toMatchObject({ sessionId: "s1", audioOnly: true, startVideoPaused: true, listener, controls: { bar: true, leave: false } });
    expect(choicesOf(new CallSettingsBuilder().setSessionId("s2"))).toMatchObject({ sessionId: "s2", audioOnly: undefined });
  });
});
