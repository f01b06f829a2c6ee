// Builds elements without markup strings, so that nothing a user typed is ever parsed as HTML.

export type Child = Node | string | false | null | undefined;

export interface Props {
  class?: string;
  /** Event listeners by event name. */
  on?: Record<string, (event: any) => void>;
  /** Attributes: true sets an empty one, false, null and undefined leave it out. */
  [attribute: string]: unknown;
}

/** Makes an element with attributes, listeners and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value as Record<string, EventListener>)) {
        element.addEventListener(event, listener);
      }
    } else {
      setAttribute(element, name, value);
    }
  }
  element.append(...children.filter((child): child is Node | string => child !== false && child != null));
  return element;
}

/** Sets or removes one attribute; it touches the document only when something changes. */
export function setAttribute(element: Element, name: string, value: unknown): void {
  if (value === false || value == null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Replaces an element's text only when it differs, which keeps screen readers from repeating it. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides an element by the hidden attribute. */
export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** The element with this id; its absence is a mistake in index.html. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}
