import type { DeviceStorage } from "./types.js";
/**
 * Keeps the device id per tab. A tab that the browser duplicated comes with a copy of the id; a Web Lock tells that the
 * original is still there, and then the copy goes without and gets an id of its own.
 */
export declare class TabStorage implements DeviceStorage {
    #private;
    /** The id of this tab; null if it has none, or has a copy of another tab's. */
    load(): Promise<string | null>;
    /** Keeps the id until the tab is closed. */
    save(deviceId: string): Promise<void>;
}
/** Keeps the device id in memory, where there are no tabs. */
export declare class MemoryStorage implements DeviceStorage {
    #private;
    /** The id, if one was saved. */
    load(): string | null;
    /** Keeps the id as long as this object. */
    save(deviceId: string): void;
}
