/** What a builder collects: option name, without its set/enable, to value. */
export type Options = Record<string, unknown>;
/**
 * Takes every option that CometChat's builders have, or will have: an option that this SDK has no use for is kept and does
 * nothing, so that code written for CometChat's own screens runs.
 */
export declare class OptionsBuilder {
    protected options: Options;
    [option: string]: any;
    constructor();
    /** The settings that were collected. */
    build(): Options;
}
/** `setSessionID` → `sessionid`: the spelling of capitals differs between CometChat's versions. */
export declare function optionName(method: string): string;
/** Settings of the app: its server. Everything else is for CometChat's own cloud. */
export declare class AppSettingsBuilder extends OptionsBuilder {
}
/** Settings of the older Calls SDK. */
export declare class CallAppSettingsBuilder extends OptionsBuilder {
}
/** Settings of a session in the newer Calls SDK. */
export declare class SessionSettingsBuilder extends OptionsBuilder {
}
/** Settings of a session in the older SDKs. */
export declare class CallSettingsBuilder extends OptionsBuilder {
}
/** The server that the settings name, if they do. */
export declare function serverOf(settings: Options | undefined): string | undefined;
/** What the settings of a session mean to us. */
export interface SessionChoices {
    sessionId?: string;
    audioOnly?: boolean;
    startAudioMuted: boolean;
    startVideoPaused: boolean;
    devices: {
        microphoneId?: string;
        cameraId?: string;
        speakerId?: string;
    };
    listener?: Record<string, unknown>;
    /** Which buttons the grid has. */
    controls: {
        bar: boolean;
        leave: boolean;
        audio: boolean;
        video: boolean;
        screen: boolean;
        hand: boolean;
    };
    /** TILE, SIDEBAR or SPOTLIGHT. */
    layout: string;
}
/** Reads settings of any generation: built, plain objects, or a builder that was not built. */
export declare function choicesOf(settings: Options | undefined): SessionChoices;
/** The layout of any generation's name; what is not known is a grid. */
export declare function layoutOf(name?: string): string;
