import { ParleyError } from "./errors.js";
import type { Devices } from "./session-types.js";

const reasons: Record<string, [code: string, text: string]> = {
  NotAllowedError: ["MEDIA_NOT_ALLOWED", "The browser or the user does not allow the use of the {device}."],
  SecurityError: ["MEDIA_NOT_ALLOWED", "The browser does not allow the use of the {device} on this page."],
  NotFoundError: ["MEDIA_NOT_FOUND", "There is no {device}."],
  OverconstrainedError: ["MEDIA_NOT_FOUND", "There is no such {device}."],
  NotReadableError: ["MEDIA_IN_USE", "The {device} is in use by another application, or broken."],
  AbortError: ["MEDIA_IN_USE", "The {device} could not be started."],
};

/** Says in words why a device could not be used. */
export function mediaError(error: unknown, device: "microphone" | "camera" | "screen"): ParleyError {
  if (error instanceof ParleyError) return error;
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  const [code, text] = reasons[name] ?? ["MEDIA_FAILED", "The {device} could not be used."];
  return new ParleyError(code, text.replace("{device}", device));
}

function capture(): MediaDevices {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices?.getUserMedia) {
    throw new ParleyError("MEDIA_UNSUPPORTED", "This page may not use cameras and microphones: it needs HTTPS (or localhost).");
  }
  return devices;
}

function microphone({ microphoneId }: Devices): MediaTrackConstraints {
  const wanted: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return microphoneId ? { ...wanted, deviceId: { exact: microphoneId } } : wanted;
}

function camera({ cameraId }: Devices): MediaTrackConstraints {
  const wanted: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  return cameraId ? { ...wanted, deviceId: { exact: cameraId } } : wanted;
}

/** Opens the microphone. */
export async function openMicrophone(devices: Devices): Promise<MediaStreamTrack> {
  return first(await attempt("microphone", () => capture().getUserMedia({ audio: microphone(devices) })));
}

/** Opens the camera. */
export async function openCamera(devices: Devices): Promise<MediaStreamTrack> {
  const track = first(await attempt("camera", () => capture().getUserMedia({ video: camera(devices) })));
  track.contentHint = "motion";
  return track;
}

/** Opens microphone and camera with one question to the user; where one fails, the other is opened alone. */
export async function openBoth(devices: Devices): Promise<[MediaStreamTrack | ParleyError, MediaStreamTrack | ParleyError]> {
  const one = (open: Promise<MediaStreamTrack>) => open.catch((error: ParleyError) => error);
  try {
    const stream = await capture().getUserMedia({ audio: microphone(devices), video: camera(devices) });
    const [sound, picture] = [stream.getAudioTracks()[0], stream.getVideoTracks()[0]];
    if (sound && picture) {
      picture.contentHint = "motion";
      return [sound, picture];
    }
  } catch (error) {
    // Tried one by one below, which also says which of the two is at fault; but nobody is asked again who has just said no.
    const [mayHear, maySee] = await worthAsking(error);
    return [
      mayHear ? await one(openMicrophone(devices)) : mediaError(error, "microphone"),
      maySee ? await one(openCamera(devices)) : mediaError(error, "camera"),
    ];
  }
  return [await one(openMicrophone(devices)), await one(openCamera(devices))];
}

/** After a refusal of both: whether microphone, and camera, may be had alone without another question in vain. */
async function worthAsking(error: unknown): Promise<[microphone: boolean, camera: boolean]> {
  if (mediaError(error, "camera").code !== "MEDIA_NOT_ALLOWED") return [true, true];
  const [sound, picture] = await Promise.all([permission("microphone"), permission("camera")]);
  const alone = (mine: string, other: string) => mine === "granted" || (mine === "prompt" && other === "denied") || mine === "unknown";
  return [alone(sound, picture), alone(picture, sound)];
}

async function permission(name: "microphone" | "camera"): Promise<string> {
  try {
    return (await navigator.permissions.query({ name: name as PermissionName })).state;
  } catch {
    return "unknown"; // a browser that does not tell
  }
}

/** Asks the user for a screen, and for its sound where the browser offers that. */
export async function openScreen(audio: boolean): Promise<MediaStream> {
  return attempt("screen", async () => {
    const devices = capture();
    if (!devices.getDisplayMedia) throw new ParleyError("MEDIA_UNSUPPORTED", "This browser cannot share the screen.");
    const stream = await devices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio });
    for (const track of stream.getVideoTracks()) track.contentHint = "detail";
    return stream;
  });
}

/** Microphones, cameras and speakers. Names are empty until the user has allowed a device. */
export async function listDevices(): Promise<MediaDeviceInfo[]> {
  return (await globalThis.navigator?.mediaDevices?.enumerateDevices?.()) ?? [];
}

async function attempt<T>(device: "microphone" | "camera" | "screen", open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw mediaError(error, device);
  }
}

function first(stream: MediaStream): MediaStreamTrack {
  const track = stream.getTracks()[0];
  if (!track) throw new ParleyError("MEDIA_NOT_FOUND", "The browser gave no track.");
  return track;
}
