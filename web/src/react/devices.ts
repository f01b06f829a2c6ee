import { useCallback, useEffect, useState } from "react";
import { ParleyError, listDevices, type Devices } from "../sdk/index.js";
import { openBoth, openCamera, openMicrophone } from "../sdk/media.js";

/** The devices that this browser offers. Their names are empty until the user has allowed one. */
export interface DeviceLists {
  microphones: readonly MediaDeviceInfo[];
  cameras: readonly MediaDeviceInfo[];
  /** Empty where the browser does not let pages choose. */
  speakers: readonly MediaDeviceInfo[];
  /** Asks again, for instance once the user has allowed a device; a change of devices is noticed without it. */
  refresh(): void;
}

/** The microphones, cameras and speakers, as they come and go. */
export function useDevices(): DeviceLists {
  const [all, setAll] = useState<readonly MediaDeviceInfo[]>([]);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let over = false;
    const look = () => void listDevices().then((found) => !over && setAll(found), () => {});
    look();
    const { mediaDevices } = navigator;
    mediaDevices?.addEventListener("devicechange", look);
    return () => {
      over = true;
      mediaDevices?.removeEventListener("devicechange", look);
    };
  }, [asked]);
  const of = (kind: MediaDeviceKind) => all.filter((device) => device.kind === kind && device.deviceId !== "" && device.deviceId !== "default");
  const refresh = useCallback(() => setAsked((times) => times + 1), []);
  const routed = typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
  return { microphones: of("audioinput"), cameras: of("videoinput"), speakers: routed ? of("audiooutput") : [], refresh };
}

/** What to open for a preview. */
export interface PreviewOptions {
  /** Default true. */
  microphone?: boolean;
  /** Default true. */
  camera?: boolean;
  /** Which ones; a missing one means the browser's default. */
  devices?: Devices;
}

/** This device's own camera and microphone, before a call. */
export interface Preview {
  /** Null until the first device is open. */
  stream: MediaStream | null;
  /** Why a device cannot be used. */
  errors: { microphone?: ParleyError; camera?: ParleyError };
  /** The user is being asked, or a device starts. */
  opening: boolean;
}

const nothing: Preview = { stream: null, errors: {}, opening: false };

/** Opens the user's devices for as long as the component is there, and closes them after it. */
export function usePreview({ microphone = true, camera = true, devices = {} }: PreviewOptions = {}): Preview {
  const [preview, setPreview] = useState<Preview>(nothing);
  const { microphoneId, cameraId } = devices;
  useEffect(() => {
    let over = false;
    let tracks: MediaStreamTrack[] = [];
    const stop = () => tracks.forEach((track) => track.stop());
    if (!microphone && !camera) return setPreview(nothing);
    setPreview((before) => ({ ...before, opening: true }));
    void open(microphone, camera, { microphoneId, cameraId }).then(([sound, picture]) => {
      tracks = [sound, picture].filter((got) => got instanceof MediaStreamTrack);
      if (over) return stop();
      const errors = { ...failure("microphone", sound), ...failure("camera", picture) };
      setPreview({ stream: tracks.length > 0 ? new MediaStream(tracks) : null, errors, opening: false });
    });
    return () => {
      over = true;
      stop();
    };
  }, [microphone, camera, microphoneId, cameraId]);
  return preview;
}

type Opened = MediaStreamTrack | ParleyError | undefined;

async function open(microphone: boolean, camera: boolean, devices: Devices): Promise<[sound: Opened, picture: Opened]> {
  const asError = (error: unknown) => (error instanceof ParleyError ? error : new ParleyError("MEDIA_FAILED", String(error)));
  try {
    if (microphone && camera) return await openBoth(devices);
    if (microphone) return [await openMicrophone(devices).catch(asError), undefined];
    return [undefined, await openCamera(devices).catch(asError)];
  } catch (error) {
    return [microphone ? asError(error) : undefined, camera ? asError(error) : undefined];
  }
}

function failure(device: "microphone" | "camera", got: Opened): Preview["errors"] {
  return got instanceof ParleyError ? { [device]: got } : {};
}
