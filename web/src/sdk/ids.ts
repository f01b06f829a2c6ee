/** A fresh random id: 96 bits, in characters that every id of the protocol may have. Works without a secure context too. */
export function randomId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return prefix + [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
