import { ParleyError } from "./errors.js";
import type { LocalParticipant } from "./participants.js";
import type { Devices } from "./session-types.js";
import type { Source } from "./types.js";
/** What this device would send now, one entry per source that has an m-line. */
export interface Outgoing {
    source: Source;
    track: MediaStreamTrack | null;
    muted: boolean;
}
interface Reports {
    changed(source: Source, on: boolean): unknown;
    failed(source: Source, error: ParleyError): void;
    /** A device went away, or the user stopped sharing in the browser's own bar. */
    ended(source: Source): void;
}
/**
 * The tracks of this device: opens and closes devices, keeps the preview streams and the on/off state. It knows nothing of
 * connections. A muted microphone stays open, so that talking starts at once; a camera that is off is closed, light and all.
 */
export declare class LocalMedia {
    #private;
    readonly devices: Devices;
    constructor(me: LocalParticipant, devices: Devices, reports: Reports);
    /** Opens what a session starts with. Never rejects: what cannot be opened is reported and left out. */
    start(wanted: {
        audio: boolean;
        video: boolean;
        muted: boolean;
        paused: boolean;
    }): Promise<void>;
    track(source: Source): MediaStreamTrack | null;
    isPublished(source: Source): boolean;
    /** Everything that has an m-line, in the order microphone, camera, screen, screenAudio. */
    outgoing(): Outgoing[];
    /** Turns microphone or camera on, opening it where needed; gives the track to send. */
    enable(source: "microphone" | "camera"): Promise<MediaStreamTrack>;
    /** Turns microphone or camera off. */
    disable(source: "microphone" | "camera"): void;
    /** Uses another device from now on; gives the new track if the source is on. */
    switchTo(source: "microphone" | "camera", deviceId: string): Promise<MediaStreamTrack | null>;
    /** The camera after the one in use, for a button that only says "switch". */
    nextCamera(): Promise<string | undefined>;
    /** Asks for a screen; resolves with the sources that it gave. */
    openScreen(audio: boolean): Promise<Source[]>;
    /** Ends the screen share, or only the sound of it; gives the sources that end. */
    closeScreen(which?: ("screen" | "screenAudio")[]): Source[];
    /** Closes every device. */
    close(): void;
}
export {};
