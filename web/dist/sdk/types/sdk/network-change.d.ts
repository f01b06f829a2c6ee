/** Calls `changed` when the browser says that this device has another network, or one again. */
export declare class NetworkChange {
    #private;
    constructor(changed: () => void);
    watch(): void;
    close(): void;
}
