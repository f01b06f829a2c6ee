import type { Session } from "../sdk/index.js";
import type { SessionChoices } from "./settings.js";
/** Buttons of the bar. */
export type Button = "audio" | "video" | "screen" | "hand" | "leave";
/** The session in an element of the app's: a tile for each picture, a bar of buttons. */
export declare class Grid {
    #private;
    constructor(parent: HTMLElement, session: Session, { controls, layout }: Pick<SessionChoices, "controls" | "layout">, pressed: (button: Button) => void);
    close(): void;
    /** Arranges the tiles in another way. */
    setLayout(layout: string): void;
    /** Keeps somebody large in the layouts that have one large: a participant's id, "" for whoever speaks. */
    pin(participantId: string): void;
    /** Shows or hides the list of who is there. */
    showPeople(on: boolean): void;
    /** Floats the large picture over other windows, or brings it back. */
    float(on: boolean): Promise<void>;
}
