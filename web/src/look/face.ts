// What stands for a face where there is no picture: initials on a colour that stays theirs.

const hues = 8;

/** Up to two capitals: first and last word of a name. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._@:+-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined];
  return letters.map((word) => (word ? [...word][0] : "")).join("").toLocaleUpperCase() || "?";
}

/** One of eight colours, the same for an id every time. */
export function hue(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0;
  return sum % hues;
}
