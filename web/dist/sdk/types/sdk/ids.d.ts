/** A fresh random id: 96 bits, in characters that every id of the protocol may have. Works without a secure context too. */
export declare function randomId(prefix: string): string;
