import { type Session } from "../sdk/index.js";
import type { Listeners } from "./listeners.js";
/** A kind of device, as the browser names it. */
type Kind = MediaDeviceInfo["kind"];
/** The devices of one kind that this browser offers. */
export declare function devicesOf(kind: Kind): Promise<MediaDeviceInfo[]>;
/** The device of a kind that was chosen for a session; undefined: the browser's choice. */
export declare function chosenDevice(kind: Kind, session: Session | null): Promise<MediaDeviceInfo | undefined>;
/** Tells listeners which devices come and go while a session runs, and which one is used from now on. */
export declare class DeviceNews {
    #private;
    constructor(media: Listeners, ongoing: Listeners);
    /** Watches until `stop`. The devices that are there by now are no news. */
    start(): void;
    /** Forgets the devices and watches no more. */
    stop(): void;
    /** Does what chooses a device of a kind, and tells of it if it is another one then. */
    choose(kind: Kind, session: Session, action: () => Promise<void>): Promise<void>;
}
export {};
