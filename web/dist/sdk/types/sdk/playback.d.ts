/**
 * Elements that play a session. Browsers may refuse to play sound before the user has touched the page: then the elements
 * wait for the next touch or key and start by themselves.
 */
export declare class Playback {
    #private;
    constructor(speakerId: string | undefined, blocked: (blocked: boolean) => void);
    /** Plays a stream through an element; gives back the undo. */
    attach(element: HTMLMediaElement, stream: MediaStream): () => void;
    /** Sends the sound of every element to another speaker. Browsers without that choice keep their own. */
    setSpeaker(deviceId: string): Promise<void>;
    /** Starts what was refused; call it from a click. */
    resume(): Promise<void>;
    close(): void;
}
