// Ring, ringback and the small sounds of a call, made with WebAudio: no files to fetch, nothing to wait for.

interface Note {
  hz: number;
  /** Seconds from the start of the pattern. */
  at: number;
  seconds: number;
  /** Peak loudness, 0 to 1. */
  gain: number;
}

const ring: Note[] = [
  { hz: 659.3, at: 0, seconds: 0.5, gain: 0.16 },
  { hz: 784, at: 0.16, seconds: 0.5, gain: 0.16 },
  { hz: 1046.5, at: 0.32, seconds: 0.9, gain: 0.18 },
  { hz: 784, at: 0.8, seconds: 0.5, gain: 0.13 },
  { hz: 1046.5, at: 0.96, seconds: 0.9, gain: 0.15 },
];
// The European ringing tone: 425 Hz, one second in five; a second partial makes it softer.
const ringback: Note[] = [
  { hz: 425, at: 0, seconds: 1, gain: 0.06 },
  { hz: 850, at: 0, seconds: 1, gain: 0.012 },
];
const ended: Note[] = [
  { hz: 523.3, at: 0, seconds: 0.22, gain: 0.1 },
  { hz: 392, at: 0.17, seconds: 0.4, gain: 0.1 },
];
const joined: Note[] = [
  { hz: 523.3, at: 0, seconds: 0.2, gain: 0.07 },
  { hz: 698.5, at: 0.12, seconds: 0.35, gain: 0.07 },
];

let context: AudioContext | undefined;
let looping: { stop(): void; kind: LoopName } | undefined;

export type LoopName = "ring" | "ringback";
const loops: Record<LoopName, { notes: Note[]; everySeconds: number }> = {
  ring: { notes: ring, everySeconds: 2.6 },
  ringback: { notes: ringback, everySeconds: 4 },
};

/** Creates or wakes the audio context. Call it from a click or key press: browsers allow sound only after one. */
export function unlockSound(): void {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume().catch(() => undefined);
}

/** Plays a pattern until stopLoop; starting the one that plays already changes nothing. */
export function startLoop(name: LoopName): void {
  if (looping?.kind === name) return;
  stopLoop();
  unlockSound();
  const { notes, everySeconds } = loops[name];
  const bus = play(notes);
  const timer = window.setInterval(() => notes.forEach((note) => schedule(note, bus)), everySeconds * 1000);
  looping = {
    kind: name,
    stop: () => {
      window.clearInterval(timer);
      bus?.gain.setTargetAtTime(0, bus.context.currentTime, 0.02);
      window.setTimeout(() => bus?.disconnect(), 200);
    },
  };
}

/** Silences the ring or ringback; given a name, only if it is the one that plays. */
export function stopLoop(name?: LoopName): void {
  if (name && looping?.kind !== name) return;
  looping?.stop();
  looping = undefined;
}

/** One short sound: the call is over. */
export function playEnded(): void {
  if (context) play(ended);
}

/** One short sound: somebody is there. */
export function playJoined(): void {
  if (context) play(joined);
}

function play(notes: Note[]): GainNode | undefined {
  if (!context) return undefined;
  const bus = context.createGain();
  bus.connect(context.destination);
  notes.forEach((note) => schedule(note, bus));
  return bus;
}

function schedule(note: Note, bus: GainNode | undefined): void {
  // While the browser blocks sound the clock stands still: notes would pile up and burst out later.
  if (!bus || bus.context.state !== "running") return;
  const start = bus.context.currentTime + 0.02 + note.at;
  const oscillator = bus.context.createOscillator();
  const envelope = bus.context.createGain();
  oscillator.frequency.value = note.hz;
  envelope.gain.setValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(note.gain, start + 0.02);
  envelope.gain.setValueAtTime(note.gain, start + note.seconds * 0.4);
  envelope.gain.exponentialRampToValueAtTime(0.0005, start + note.seconds);
  oscillator.connect(envelope).connect(bus);
  oscillator.start(start);
  oscillator.stop(start + note.seconds + 0.05);
}
