// The document title: what goes on, and a blinking call for attention while the phone rings.

const product = "Parley";
let base = product;
let timer: number | undefined;

/** Names the present screen in the tab's title. */
export function setTitle(text: string): void {
  base = text ? `${text} · ${product}` : product;
  if (timer === undefined) document.title = base;
}

/** Alternates the title with text until stopFlashing, so that a hidden tab is noticed. */
export function flashTitle(text: string): void {
  stopFlashing();
  let on = true;
  document.title = text;
  timer = window.setInterval(() => {
    on = !on;
    document.title = on ? text : base;
  }, 1000);
}

/** Puts the ordinary title back. */
export function stopFlashing(): void {
  window.clearInterval(timer);
  timer = undefined;
  document.title = base;
}
