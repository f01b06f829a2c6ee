/** Gives a document the grid's looks, once; without inline styles, which a strict content policy forbids. */
export declare function styleGrid(document: Document): void;
