import type { Source } from "./types.js";

/** One encoding of what is sent, with what TypeScript's own type does not know yet (webrtc-svc, section 4). */
export interface Encoding extends RTCRtpEncodingParameters {
  scalabilityMode?: string;
}

/** Highest bit rates of sound, in bit/s. */
const soundBitrate: Record<"microphone" | "screenAudio", number> = { microphone: 64_000, screenAudio: 128_000 };

/** Bit rates of pictures by their pixels, those of libwebrtc: 180, 360 and 720 lines. */
const cameraSteps: readonly Step[] = [
  { rid: "q", maxBitrate: 150_000 },
  { rid: "h", maxBitrate: 500_000 },
  { rid: "f", maxBitrate: 1_700_000 },
];
/** A quarter of the pixels of a text still tells what it is about; a sixteenth does not. */
const screenSteps: readonly Step[] = [
  { rid: "h", maxBitrate: 500_000 },
  { rid: "f", maxBitrate: 2_500_000 },
];

interface Step {
  rid: string;
  maxBitrate: number;
}

const stepsOf = (source: Source) => (source === "screen" ? screenSteps : cameraSteps);

/**
 * The encodings that a source is sent in, from the smallest to the largest as docs/protocol.md wants them.
 *
 * A camera has three, also in a call of two: its publisher only knows its own network, and the other's may be narrower, so
 * the server needs something to choose from. Where it is not, this costs next to nothing, because the server says which
 * encodings nobody receives and they are stopped. Each has three temporal layers (L1T3), so that there are steps in between:
 * without its upper layers an encoding takes 40 % of its bit rate.
 */
export function encodingsOf(source: Source, simulcast: boolean, temporal: boolean): Encoding[] {
  if (source === "microphone" || source === "screenAudio") return [{ maxBitrate: soundBitrate[source] }];
  const layers = temporal ? { scalabilityMode: "L1T3" } : {};
  const steps = stepsOf(source);
  if (!simulcast) return [{ maxBitrate: steps.at(-1)?.maxBitrate, ...layers }];
  return steps.map((step, at) => ({ ...step, scaleResolutionDownBy: 2 ** (steps.length - 1 - at), ...layers }));
}

/** What an encoding should be for a picture of a size. */
export interface Sizing {
  scaleResolutionDownBy: number;
  maxBitrate: number;
  /** The picture is too small for this one. */
  unused: boolean;
}

/**
 * Chromium encodes a picture below these pixels (960×540, 480×270) in two sizes and in one, whatever it was asked for: the
 * first ones of the list, which are the small ones. So those are made as large as the picture then.
 */
export function sizingOf(source: Source, count: number, index: number, pixels: number | undefined): Sizing {
  const most = pixels === undefined || pixels >= 960 * 540 ? 3 : pixels >= 480 * 270 ? 2 : 1;
  const used = Math.min(count, most);
  const scaleResolutionDownBy = 2 ** Math.max(0, used - 1 - index);
  const steps = stepsOf(source);
  const highest = steps.at(-1)?.maxBitrate ?? 0;
  const wanted = pixels === undefined ? steps[index]?.maxBitrate : source === "camera" ? bitrateFor(pixels / scaleResolutionDownBy ** 2) : undefined;
  return { scaleResolutionDownBy, maxBitrate: Math.min(highest, wanted ?? (index === used - 1 ? highest : (steps[0]?.maxBitrate ?? highest))), unused: index >= used };
}

/** The bit rate of a face: a power of the pixels that meets 150, 500 and 1,700 kbit/s at 180, 360 and 720 lines. */
function bitrateFor(pixels: number): number {
  return Math.round((500_000 * (pixels / (640 * 360)) ** 0.88) / 10_000) * 10_000;
}

/** What gives way when the network or the processor is short: a face should move, a text should be sharp. */
export function degradationOf(source: Source): "maintain-framerate" | "maintain-resolution" {
  return source === "screen" ? "maintain-resolution" : "maintain-framerate";
}

/** What the server says of one publication (event session.publish). */
export interface Watched {
  publicationId: string;
  mid: string;
  active: boolean;
  encodings?: { rid: string; active: boolean }[];
}

/** Whether an encoding should run; what the server has said nothing about should. */
export function shouldRun(watched: Watched | undefined, rid: string | undefined): boolean {
  if (!watched) return true;
  return watched.active && (watched.encodings?.find((e) => e.rid === rid)?.active ?? true);
}
