import { listDevices, type Session } from "../sdk/index.js";
import type { Listeners } from "./listeners.js";

/** A kind of device, as the browser names it. */
type Kind = MediaDeviceInfo["kind"];

/** By kind: the callback of the list, that of the choice, the name in the older SDK's list, and where the session keeps the choice. */
const KINDS = {
  audioinput: { list: "onAudioInputDevicesChanged", choice: "onAudioInputDeviceChanged", older: "audioInputDevices", id: "microphoneId" },
  audiooutput: { list: "onAudioOutputDevicesChanged", choice: "onAudioOutputDeviceChanged", older: "audioOutputDevices", id: "speakerId" },
  videoinput: { list: "onVideoInputDevicesChanged", choice: "onVideoInputDeviceChanged", older: "videoInputDevices", id: "cameraId" },
} as const;

const allKinds = Object.keys(KINDS) as Kind[];

/** The devices of one kind that this browser offers. */
export async function devicesOf(kind: Kind): Promise<MediaDeviceInfo[]> {
  return ofKind(await listDevices(), kind);
}

/** The device of a kind that was chosen for a session; undefined: the browser's choice. */
export async function chosenDevice(kind: Kind, session: Session | null): Promise<MediaDeviceInfo | undefined> {
  return (await devicesOf(kind)).find((device) => device.deviceId === session?.devices[KINDS[kind].id]);
}

/** Tells listeners which devices come and go while a session runs, and which one is used from now on. */
export class DeviceNews {
  #media: Listeners;
  #ongoing: Listeners;
  #known: MediaDeviceInfo[] | null = null;
  #looked: Promise<void> = Promise.resolve();
  #stop: (() => void) | null = null;

  constructor(media: Listeners, ongoing: Listeners) {
    this.#media = media;
    this.#ongoing = ongoing;
  }

  /** Watches until `stop`. The devices that are there by now are no news. */
  start(): void {
    this.stop();
    const mediaDevices = globalThis.navigator?.mediaDevices;
    let over = false;
    // One look after another: of two at a time the older answer could come last.
    const look = () => (this.#looked = this.#looked.then(listDevices).then((found) => (over ? undefined : this.#found(found)), () => {}));
    mediaDevices?.addEventListener?.("devicechange", look);
    this.#stop = () => {
      over = true;
      mediaDevices?.removeEventListener?.("devicechange", look);
    };
    look();
  }

  /** Forgets the devices and watches no more. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
    this.#known = null;
  }

  /** Does what chooses a device of a kind, and tells of it if it is another one then. */
  async choose(kind: Kind, session: Session, action: () => Promise<void>): Promise<void> {
    const { id, choice } = KINDS[kind];
    const before = session.devices[id];
    await action();
    if (session.devices[id] === before) return;
    const device = await chosenDevice(kind, session).catch(() => undefined); // it is in use, whether or not it can be named
    if (device) this.#media.raise(choice, device);
  }

  #found(found: MediaDeviceInfo[]): void {
    const before = this.#known;
    this.#known = found;
    if (!before) return;
    const changed = allKinds.filter((kind) => !alike(ofKind(before, kind), ofKind(found, kind)));
    for (const kind of changed) this.#media.raise(KINDS[kind].list, ofKind(found, kind));
    if (changed.length === 0) return;
    this.#ongoing.raise("onMediaDeviceListUpdated", Object.fromEntries(allKinds.map((kind) => [KINDS[kind].older, ofKind(found, kind)])));
  }
}

function ofKind(devices: readonly MediaDeviceInfo[], kind: Kind): MediaDeviceInfo[] {
  return devices.filter((device) => device.kind === kind);
}

/** Whether two lists say the same; names are empty until the user has allowed a device. */
function alike(one: readonly MediaDeviceInfo[], other: readonly MediaDeviceInfo[]): boolean {
  return one.length === other.length && one.every((device, at) => device.deviceId === other[at]?.deviceId && device.label === other[at]?.label);
}
