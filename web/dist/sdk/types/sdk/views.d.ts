/** How a stream is on the screen, in device pixels; of several places the largest counts. */
export interface View {
    width: number;
    height: number;
    visible: boolean;
}
/** Watches how large and whether the video elements of a session are on the screen. */
export declare class Views {
    #private;
    constructor(changed: () => void);
    /** Watches an element from now on; gives back the undo. */
    watch(element: HTMLMediaElement, stream: MediaStream): () => void;
    /** How a stream is on the screen; undefined when no element that is watched plays it. */
    of(stream: MediaStream): View | undefined;
    close(): void;
}
