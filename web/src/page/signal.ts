// The bars that tell how good a call is: their number says it, and words for those who don't see them.

import type { Quality } from "../sdk/index.js";
import { bars, qualityWords } from "../look/quality.js";
import { h, setAttribute, show } from "./dom.js";

/** Four bars on a name plate. */
export class Signal {
  readonly element = h("span", { class: "signal", hidden: true }, h("i"), h("i"), h("i"), h("i"));

  update(quality: Quality | undefined): void {
    show(this.element, quality !== undefined);
    if (!quality) return;
    setAttribute(this.element, "data-bars", bars[quality.grade] ?? 4);
    setAttribute(this.element, "title", qualityWords(quality));
  }
}
