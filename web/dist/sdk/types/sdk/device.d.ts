import type { DeviceStorage } from "./types.js";
/**
 * Keeps the device id per tab. A tab that the browser duplicated comes with a copy of the id; a Web Lock tells that the
 * original is still there, and then the copy goes without and gets an id of its own.
 */
export declare class TabStorage implements DeviceStorage {
    #private;
    load(): Promise<string | null>;
    save(deviceId: string): Promise<void>;
}
/** Keeps the device id in memory, where there are no tabs. */
export declare class MemoryStorage implements DeviceStorage {
    #private;
    load(): string | null;
    save(deviceId: string): void;
}
