/** How a stream is on the screen, in device pixels; of several places the largest counts. */
export interface View {
  width: number;
  height: number;
  visible: boolean;
}

interface Seen {
  stream: MediaStream;
  width: number;
  height: number;
  inSight: boolean;
}

/** Watches how large and whether the video elements of a session are on the screen. */
export class Views {
  #seen = new Map<HTMLVideoElement, Seen>();
  #changed: () => void;
  #sizes: ResizeObserver | undefined;
  #sights: IntersectionObserver | undefined;
  #document = globalThis.document as Document | undefined;
  #hidden = () => this.#changed();

  constructor(changed: () => void) {
    this.#changed = changed;
    if (globalThis.ResizeObserver === undefined || globalThis.IntersectionObserver === undefined) return;
    this.#sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) this.#note(target, { width: contentRect.width, height: contentRect.height });
      this.#changed();
    });
    this.#sights = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#note(target, { inSight: isIntersecting });
      this.#changed();
    });
    for (const event of ["visibilitychange", "enterpictureinpicture", "leavepictureinpicture"]) {
      this.#document?.addEventListener(event, this.#hidden, { capture: true });
    }
  }

  /** Watches an element from now on; gives back the undo. */
  watch(element: HTMLMediaElement, stream: MediaStream): () => void {
    if (!this.#sizes || !(element instanceof HTMLVideoElement)) return () => {};
    // In sight until the observer says otherwise, which it does with the next frame of the page.
    this.#seen.set(element, { stream, width: element.clientWidth, height: element.clientHeight, inSight: true });
    this.#sizes.observe(element);
    this.#sights?.observe(element);
    this.#changed();
    return () => {
      if (this.#seen.get(element)?.stream !== stream) return;
      this.#seen.delete(element);
      this.#sizes?.unobserve(element);
      this.#sights?.unobserve(element);
      this.#changed();
    };
  }

  /** How a stream is on the screen; undefined when no element that is watched plays it. */
  of(stream: MediaStream): View | undefined {
    let view: View | undefined;
    const ratio = globalThis.devicePixelRatio || 1;
    for (const [element, seen] of this.#seen) {
      if (seen.stream !== stream) continue;
      const floating = this.#document?.pictureInPictureElement === element;
      const visible = floating || (seen.inSight && seen.width > 0 && this.#document?.visibilityState !== "hidden");
      const width = visible ? Math.round(seen.width * ratio) : 0;
      const height = visible ? Math.round(seen.height * ratio) : 0;
      view = { width: Math.max(view?.width ?? 0, width), height: Math.max(view?.height ?? 0, height), visible: visible || (view?.visible ?? false) };
    }
    return view;
  }

  close(): void {
    this.#sizes?.disconnect();
    this.#sights?.disconnect();
    this.#seen.clear();
    for (const event of ["visibilitychange", "enterpictureinpicture", "leavepictureinpicture"]) {
      this.#document?.removeEventListener(event, this.#hidden, { capture: true });
    }
  }

  #note(target: Element, news: Partial<Seen>): void {
    const seen = this.#seen.get(target as HTMLVideoElement);
    if (seen) Object.assign(seen, news);
  }
}
