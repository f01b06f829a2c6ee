// A face for everyone: the picture if there is one, otherwise initials on a colour that stays theirs.

import { h } from "./dom.js";
import { icon } from "./icons.js";

export interface Face {
  id: string;
  name: string;
  avatar?: string;
  group?: boolean;
}

const hues = 8;

/** Makes an avatar. It is decoration: the name stands beside it in text. */
export function avatar(face: Face, size: "small" | "medium" | "large" = "small"): HTMLElement {
  const element = h("span", { class: `avatar avatar-${size} hue-${hue(face.id)}`, "aria-hidden": "true" });
  if (face.group) element.append(icon("group"));
  else element.append(initials(face.name || face.id));
  if (face.avatar && /^(https:|data:image\/|\/)/.test(face.avatar)) {
    const image = h("img", { src: face.avatar, alt: "", referrerpolicy: "no-referrer" });
    image.addEventListener("error", () => image.remove());
    element.append(image);
  }
  return element;
}

/** Up to two capitals: first and last word of a name. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._@:+-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined];
  return letters.map((word) => (word ? [...word][0] : "")).join("").toLocaleUpperCase() || "?";
}

function hue(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0;
  return sum % hues;
}
