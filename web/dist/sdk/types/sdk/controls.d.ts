import { ParleyError } from "./errors.js";
import { type Outgoing } from "./local-media.js";
import type { LocalParticipant } from "./participants.js";
import type { Devices, JoinOptions } from "./session-types.js";
import type { Source } from "./types.js";
interface ControlsConfig {
    me: LocalParticipant;
    options: JoinOptions;
    /** Whether a source may be published, once that is known. */
    may(source: Source): boolean;
    changed(source: Source, on: boolean): void;
    failed(source: Source, error: ParleyError): void;
    /** Brings what is sent in step with the devices. */
    sync(): Promise<void>;
    unpublish(sources: Source[]): Promise<void>;
}
/** What the user does with microphone, camera and screen: one change after the other, first the device, then what is sent. */
export declare class Controls {
    #private;
    constructor(config: ControlsConfig);
    get devices(): Devices;
    outgoing(): Outgoing[];
    /** Opens what the session starts with; what opens after the first offer is sent from then on. */
    open(video: boolean): Promise<void>;
    turn(source: "microphone" | "camera", on: boolean): Promise<void>;
    shareScreen(audio: boolean): Promise<void>;
    stopScreenShare(): Promise<void>;
    /** Stops what a moderator has muted. */
    silence(source: Source): Promise<void>;
    switchTo(source: "microphone" | "camera", deviceId: string): Promise<void>;
    nextCamera(): Promise<string | undefined>;
    close(): void;
}
export {};
