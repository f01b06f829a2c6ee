/** What to do about the media connection. */
export type RecoveryStep = "lost" | "restored" | "restartIce" | "rejoin";

/** How long `disconnected` is given to heal by itself: browsers wait seconds before they say it (docs/protocol.md, section 5). */
export const SUSPECT_MS = 300;
/** How long an ICE restart, or a first connection, is given. */
export const RESTART_MS = 10_000;
export const CONNECT_MS = 20_000;

type Phase = "connecting" | "up" | "suspect" | "restarting" | "rejoining";

/**
 * Repairs the media connection in the order of docs/protocol.md, section 5: restart ICE, join again. A decision only: it takes
 * the time and the state and says the next steps.
 *
 *   connecting → up → suspect → restarting → rejoining → connecting → …
 *        ↑_______________|___________|  "connected" leads to up from anywhere
 */
export class Recovery {
  #phase: Phase = "connecting";
  #deadline: number | undefined;
  #lost = false;

  constructor(now: number) {
    this.#deadline = now + CONNECT_MS;
  }

  /** When `advance` has something to do. */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  get phase(): string {
    return this.#phase;
  }

  /** Takes a state of the PeerConnection. */
  transport(now: number, state: RTCPeerConnectionState): RecoveryStep[] {
    if (state === "connected") return this.#up();
    if (state === "disconnected" && this.#phase === "up") return this.#enter("suspect", now + SUSPECT_MS, this.#loss());
    if (state !== "failed") return [];
    if (this.#phase === "up" || this.#phase === "suspect") return [...this.#loss(), ...this.restart(now)];
    if (this.#phase === "connecting" || this.#phase === "restarting") return this.rejoin();
    return [];
  }

  /** Restarts ICE now, e.g. because the network changed; nothing need be lost yet. */
  restart(now: number): RecoveryStep[] {
    if (this.#phase === "rejoining" || this.#phase === "connecting") return [];
    return this.#enter("restarting", now + RESTART_MS, ["restartIce"]);
  }

  /** Nothing comes in any more, whatever the PeerConnection says. A first repair is not worth a word to the application. */
  silent(now: number): RecoveryStep[] {
    return this.#phase === "up" || this.#phase === "suspect" ? this.restart(now) : [];
  }

  /** Gives the PeerConnection up, e.g. because the server does not know it any more. */
  rejoin(): RecoveryStep[] {
    if (this.#phase === "rejoining") return [];
    return this.#enter("rejoining", undefined, [...this.#loss(), "rejoin"]);
  }

  /** A new PeerConnection has been negotiated. */
  rejoined(now: number): void {
    this.#enter("connecting", now + CONNECT_MS, []);
  }

  /** Takes the time. */
  advance(now: number): RecoveryStep[] {
    if (this.#deadline === undefined || now < this.#deadline) return [];
    return this.#phase === "suspect" ? this.restart(now) : this.rejoin();
  }

  #up(): RecoveryStep[] {
    if (this.#phase === "rejoining") return [];
    const steps: RecoveryStep[] = this.#lost ? ["restored"] : [];
    this.#lost = false;
    return this.#enter("up", undefined, steps);
  }

  #loss(): RecoveryStep[] {
    if (this.#lost) return [];
    this.#lost = true;
    return ["lost"];
  }

  #enter(phase: Phase, deadline: number | undefined, steps: RecoveryStep[]): RecoveryStep[] {
    this.#phase = phase;
    this.#deadline = deadline;
    return steps;
  }
}
