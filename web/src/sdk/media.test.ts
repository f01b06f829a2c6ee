import { afterEach, describe, expect, it, vi } from "vitest";
import { ParleyError } from "./errors.js";
import { mediaError, openBoth, openCamera } from "./media.js";

afterEach(() => vi.unstubAllGlobals());

const refusal = (name: string) => Object.assign(new Error(name), { name });

/** A browser with these devices; a name in place of one is the error that opening it gives. */
function browser(microphone: string, camera: string, permissions: Record<string, string> = {}) {
  const getUserMedia = vi.fn(async ({ audio, video }: MediaStreamConstraints) => {
    for (const [wanted, device] of [[audio, microphone], [video, camera]] as const) {
      if (wanted && device !== "ok") throw refusal(device);
    }
    const [sound, picture] = [{ kind: "audio" }, { kind: "video", contentHint: "" }];
    return { getTracks: () => [...(audio ? [sound] : []), ...(video ? [picture] : [])], getAudioTracks: () => [sound], getVideoTracks: () => [picture] };
  });
  vi.stubGlobal("navigator", {
    mediaDevices: { getUserMedia },
    permissions: { query: async ({ name }: { name: string }) => ({ state: permissions[name] ?? "granted" }) },
  });
  return getUserMedia;
}

const codes = async () => (await openBoth({})).map((got) => (got instanceof ParleyError ? got.code : "ok"));

describe("mediaError", () => {
  it.each([
    ["NotAllowedError", "MEDIA_NOT_ALLOWED"],
    ["NotFoundError", "MEDIA_NOT_FOUND"],
    ["OverconstrainedError", "MEDIA_NOT_FOUND"],
    ["NotReadableError", "MEDIA_IN_USE"],
    ["SomethingElse", "MEDIA_FAILED"],
  ])("%s is %s, and names the device", (name, code) => {
    const error = mediaError(refusal(name), "camera");
    expect(error.code).toBe(code);
    expect(error.message).toContain("camera");
  });
});

describe("opening both", () => {
  it("asks once", async () => {
    const asked = browser("ok", "ok");
    expect([await codes(), asked.mock.calls.length]).toEqual([["ok", "ok"], 1]);
  });

  it("goes on with the one that works", async () => {
    browser("ok", "NotFoundError");
    expect(await codes()).toEqual(["ok", "MEDIA_NOT_FOUND"]);
    browser("NotReadableError", "ok");
    expect(await codes()).toEqual(["MEDIA_IN_USE", "ok"]);
  });

  it("does not ask again whoever has said no", async () => {
    const asked = browser("NotAllowedError", "NotAllowedError", { microphone: "prompt", camera: "prompt" });
    expect([await codes(), asked.mock.calls.length]).toEqual([["MEDIA_NOT_ALLOWED", "MEDIA_NOT_ALLOWED"], 1]);
  });

  it("takes the microphone where only the camera is forbidden", async () => {
    browser("ok", "NotAllowedError", { camera: "denied" });
    expect(await codes()).toEqual(["ok", "MEDIA_NOT_ALLOWED"]);
  });
});

it("says that a page without HTTPS cannot use devices", async () => {
  vi.stubGlobal("navigator", {});
  await expect(openCamera({})).rejects.toMatchObject({ code: "MEDIA_UNSUPPORTED" });
});
