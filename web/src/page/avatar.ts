// A face for everyone: the picture if there is one, otherwise initials on a colour that stays theirs.

import { hue, initials } from "../look/face.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

export interface Face {
  id: string;
  name: string;
  avatar?: string;
  group?: boolean;
}

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
