// The page's pictograms as elements.

import { paths, type IconName } from "../look/paths.js";

export type { IconName };

const svgNamespace = "http://www.w3.org/2000/svg";

/** Makes one pictogram. It is decoration: the control around it carries the name. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(svgNamespace, "path");
  path.setAttribute("d", paths[name]);
  if (name === "hangup") path.setAttribute("transform", "rotate(135 12 12)");
  svg.append(path);
  return svg;
}
