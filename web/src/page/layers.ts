// What lies over the page: dialogs and passing messages. The native dialog element keeps focus inside and gives it back.

import { announce } from "./announce.js";
import { byId, h } from "./dom.js";
import { icon } from "./icons.js";

export interface Sheet {
  element: HTMLDialogElement;
  close(): void;
}

let sheets = 0;

/** Opens a titled dialog around body; Esc, the close button and close() end it. closed runs once, however it ends. */
export function openSheet(title: string, body: Node[], closed: () => void = () => undefined): Sheet {
  const id = `sheet-${++sheets}`;
  const close = () => element.close();
  const element = h(
    "dialog",
    {
      class: "sheet",
      "aria-labelledby": id,
      on: {
        close: () => {
          element.remove();
          closed();
        },
      },
    },
    h(
      "div",
      { class: "sheet-head" },
      h("h2", { id }, title),
      h("button", { class: "button round quiet", type: "button", "aria-label": "Close", on: { click: close } }, icon("close")),
    ),
    ...body,
  );
  byId("layers").append(element);
  element.showModal();
  return { element, close };
}

const toastMilliseconds = 6000;

/** Shows a sentence for a few seconds and says it to screen readers. */
export function toast(text: string): void {
  let box = document.querySelector(".toasts");
  if (!box) byId("layers").append((box = h("section", { class: "toasts", "aria-label": "Messages" })));
  const element = h("div", { class: "toast" }, text);
  box.append(element);
  while (box.childElementCount > 3) box.firstElementChild!.remove();
  announce(text);
  window.setTimeout(() => element.remove(), toastMilliseconds);
}
