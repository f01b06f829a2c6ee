/** The WebSocket address of a server given as `https://host`, `wss://host`, `host:port` or a full address. */
export declare function socketAddress(url: string | undefined, page: {
    protocol: string;
    host: string;
} | undefined): string;
/** The address of the same server for REST, without a slash at its end. */
export declare function httpAddress(url: string | undefined, page: {
    protocol: string;
    host: string;
} | undefined): string;
