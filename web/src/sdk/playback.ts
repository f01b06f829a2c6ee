/**
 * Elements that play a session. Browsers may refuse to play sound before the user has touched the page: then the elements
 * wait for the next touch or key and start by themselves.
 */
export class Playback {
  #elements = new Set<HTMLMediaElement>();
  #waiting = new Set<HTMLMediaElement>();
  #speakerId: string | undefined;
  #blocked: (blocked: boolean) => void;
  #unlock = () => void this.resume();

  constructor(speakerId: string | undefined, blocked: (blocked: boolean) => void) {
    this.#speakerId = speakerId;
    this.#blocked = blocked;
  }

  /** Plays a stream through an element; gives back the undo. */
  attach(element: HTMLMediaElement, stream: MediaStream): () => void {
    element.autoplay = true;
    element.setAttribute("playsinline", "");
    if (element.srcObject !== stream) element.srcObject = stream;
    this.#elements.add(element);
    if (this.#speakerId) void this.#route(element, this.#speakerId);
    void this.#play(element);
    return () => {
      this.#elements.delete(element);
      this.#waiting.delete(element);
      element.srcObject = null;
    };
  }

  /** Sends the sound of every element to another speaker. Browsers without that choice keep their own. */
  async setSpeaker(deviceId: string): Promise<void> {
    this.#speakerId = deviceId;
    await Promise.all([...this.#elements].map((element) => this.#route(element, deviceId)));
  }

  /** Starts what was refused; call it from a click. */
  async resume(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#listen(false);
    await Promise.all(waiting.map((element) => this.#play(element)));
    if (waiting.length > 0 && this.#waiting.size === 0) this.#blocked(false);
  }

  close(): void {
    this.#listen(false);
    this.#elements.clear();
    this.#waiting.clear();
  }

  async #play(element: HTMLMediaElement): Promise<void> {
    try {
      await element.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError" || !this.#elements.has(element)) return;
      this.#waiting.add(element);
      this.#listen(true);
      this.#blocked(true);
    }
  }

  async #route(element: HTMLMediaElement, deviceId: string): Promise<void> {
    try {
      await element.setSinkId?.(deviceId);
    } catch {
      // The speaker is gone, or not allowed: the sound stays where it was.
    }
  }

  #listen(on: boolean): void {
    const document = globalThis.document as Document | undefined;
    for (const event of ["pointerdown", "keydown"]) {
      if (on) document?.addEventListener(event, this.#unlock, { once: true, capture: true });
      else document?.removeEventListener(event, this.#unlock, { capture: true });
    }
  }
}
