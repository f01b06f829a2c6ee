/** What to do about the media connection. */
export type RecoveryStep = "lost" | "restored" | "restartIce" | "rejoin";
/** How long `disconnected` is given to heal by itself: browsers wait seconds before they say it (docs/protocol.md, section 5). */
export declare const SUSPECT_MS = 300;
/** How long an ICE restart, or a first connection, is given. */
export declare const RESTART_MS = 10000;
export declare const CONNECT_MS = 20000;
/**
 * Repairs the media connection in the order of docs/protocol.md, section 5: restart ICE, join again. A decision only: it takes
 * the time and the state and says the next steps.
 *
 *   connecting → up → suspect → restarting → rejoining → connecting → …
 *        ↑_______________|___________|  "connected" leads to up from anywhere
 */
export declare class Recovery {
    #private;
    constructor(now: number);
    /** When `advance` has something to do. */
    get deadline(): number | undefined;
    get phase(): string;
    /** Takes a state of the PeerConnection. */
    transport(now: number, state: RTCPeerConnectionState): RecoveryStep[];
    /** Restarts ICE now, e.g. because the network changed; nothing need be lost yet. */
    restart(now: number): RecoveryStep[];
    /** Nothing comes in any more, whatever the PeerConnection says. A first repair is not worth a word to the application. */
    silent(now: number): RecoveryStep[];
    /** Gives the PeerConnection up, e.g. because the server does not know it any more. */
    rejoin(): RecoveryStep[];
    /** A new PeerConnection has been negotiated. */
    rejoined(now: number): void;
    /** Takes the time. */
    advance(now: number): RecoveryStep[];
}
