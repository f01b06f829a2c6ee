import type { Session } from "../sdk/index.js";
import type { SessionChoices } from "./settings.js";
/** Buttons of the bar. */
export type Button = "audio" | "video" | "screen" | "leave";
/** The session in an element of the app's: a tile for each picture, a bar of buttons. */
export declare class Grid {
    #private;
    constructor(parent: HTMLElement, session: Session, controls: SessionChoices["controls"], pressed: (button: Button) => void);
    close(): void;
}
