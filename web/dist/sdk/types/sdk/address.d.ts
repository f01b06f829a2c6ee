/** The WebSocket address of a server given as `https://host`, `wss://host`, `host:port` or a full address. */
export declare function socketAddress(url: string | undefined, page: {
    protocol: string;
    host: string;
} | undefined): string;
