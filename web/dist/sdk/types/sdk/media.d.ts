import { ParleyError } from "./errors.js";
import type { Devices } from "./session-types.js";
/** Says in words why a device could not be used. */
export declare function mediaError(error: unknown, device: "microphone" | "camera" | "screen"): ParleyError;
/** Opens the microphone. */
export declare function openMicrophone(devices: Devices): Promise<MediaStreamTrack>;
/** Opens the camera. */
export declare function openCamera(devices: Devices): Promise<MediaStreamTrack>;
/** Opens microphone and camera with one question to the user; where one fails, the other is opened alone. */
export declare function openBoth(devices: Devices): Promise<[MediaStreamTrack | ParleyError, MediaStreamTrack | ParleyError]>;
/** Asks the user for a screen, and for its sound where the browser offers that. */
export declare function openScreen(audio: boolean): Promise<MediaStream>;
/** Microphones, cameras and speakers. Names are empty until the user has allowed a device. */
export declare function listDevices(): Promise<MediaDeviceInfo[]>;
