// A line of a list: a person or a group with the two ways to call them.

import type { CallType } from "../sdk/index.js";
import { avatar, type Face } from "./avatar.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

/** One callable row; note stands under the name, more beside the ways to call. */
export function personRow(face: Face, note: string, call: (type: CallType) => void, more?: () => void): HTMLLIElement {
  return h(
    "li",
    { class: "row", "data-id": face.id },
    avatar(face),
    h("span", { class: "row-text" }, h("span", { class: "row-name" }, face.name), note !== "" && h("span", { class: "row-note" }, note)),
    callButtons(face.name, call),
    more && h("button", { class: "button round more", type: "button", "aria-label": `More about ${face.name}`, title: `More about ${face.name}`, on: { click: more } }, icon("more")),
  );
}

/** The round buttons of a row: both ways to call, or only the given one. */
export function callButtons(name: string, call: (type: CallType) => void, types: CallType[] = ["audio", "video"]): HTMLElement {
  const button = (type: CallType) => {
    const label = `${type === "video" ? "Video" : "Audio"} call ${name}`;
    return h(
      "button",
      { class: "button round", type: "button", "aria-label": label, title: label, "data-call": type, on: { click: () => call(type) } },
      icon(type === "video" ? "camera" : "phone"),
    );
  };
  return h("span", { class: "actions" }, ...types.map(button));
}
