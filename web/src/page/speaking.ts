// Who is speaking, from the energy of the sound that arrives.

import type { Session } from "../sdk/index.js";

const everyMilliseconds = 500;
/** Mean squared level above which a sound counts as speech: about -34 dBFS. */
const threshold = 0.0004;

/** Reports the participants that speak, twice a second, until the returned function is called. */
export function watchSpeaking(session: Session, report: (speaking: ReadonlySet<string>) => void): () => void {
  const energies = new Map<string, number>();
  let busy = false;
  const timer = window.setInterval(async () => {
    if (busy || session.state === "closed") return;
    busy = true;
    try {
      const speaking = new Set<string>();
      for (const track of (await session.getStats()).received) {
        if (track.kind !== "audio" || !track.participantId) continue;
        const key = `${track.participantId} ${track.source}`;
        const before = energies.get(key) ?? track.audioEnergy;
        energies.set(key, track.audioEnergy);
        if ((track.audioEnergy - before) / (everyMilliseconds / 1000) > threshold) speaking.add(track.participantId);
      }
      report(speaking);
    } catch {
      // The session closed under the request.
    } finally {
      busy = false;
    }
  }, everyMilliseconds);
  return () => window.clearInterval(timer);
}
