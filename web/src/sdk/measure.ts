/** What was measured on one pair since the time before (params of session.stats). */
export interface SlotStats {
  pair: number;
  concealed?: number;
  jitterBufferMs?: number;
  frozen?: number;
  frameRate?: number;
  width?: number;
  height?: number;
}

/** The counters of an inbound-rtp entry (W3C webrtc-stats) that are of interest; a browser may lack any of them. */
export interface InboundCounters {
  kind: "audio" | "video";
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  totalFreezesDuration?: number;
  framesDecoded?: number;
  frameWidth?: number;
  frameHeight?: number;
}

/** The two streams of a pair. */
export interface PairCounters {
  pair: number;
  audio?: InboundCounters;
  video?: InboundCounters;
}

/**
 * The difference between two readings. A pair on which nothing came meanwhile is left out. Sound that was made up while it
 * was silent anyway, as between two words of a sender that does not send silence, does not count.
 */
export function measure(before: readonly PairCounters[], after: readonly PairCounters[], seconds: number): SlotStats[] {
  if (seconds <= 0) return [];
  const out: SlotStats[] = [];
  for (const now of after) {
    const then = before.find(({ pair }) => pair === now.pair);
    const stats: SlotStats = { pair: now.pair, ...sound(then?.audio, now.audio), ...picture(then?.video, now.video, seconds) };
    if (Object.keys(stats).length > 1) out.push(stats);
  }
  return out;
}

function sound(then: InboundCounters | undefined, now: InboundCounters | undefined): Partial<SlotStats> {
  if (!then || !now) return {};
  const total = grown(then.totalSamplesReceived, now.totalSamplesReceived);
  if (total <= 0) return {};
  const concealed = grown(then.concealedSamples, now.concealedSamples) - grown(then.silentConcealedSamples, now.silentConcealedSamples);
  const emitted = grown(then.jitterBufferEmittedCount, now.jitterBufferEmittedCount);
  return {
    concealed: part(concealed / total),
    ...(emitted > 0 ? { jitterBufferMs: Math.min(60_000, Math.round((grown(then.jitterBufferDelay, now.jitterBufferDelay) / emitted) * 1000)) } : {}),
  };
}

function picture(then: InboundCounters | undefined, now: InboundCounters | undefined, seconds: number): Partial<SlotStats> {
  if (!then || !now) return {};
  const frames = grown(then.framesDecoded, now.framesDecoded);
  if (frames <= 0) return {};
  return {
    // The browser adds a freeze when it is over: one that was longer than the time between two readings counts as all of it.
    frozen: part(grown(then.totalFreezesDuration, now.totalFreezesDuration) / seconds),
    frameRate: Math.min(240, Math.round((frames / seconds) * 10) / 10),
    width: now.frameWidth ?? 0,
    height: now.frameHeight ?? 0,
  };
}

function grown(before = 0, after = 0): number {
  return Math.max(0, after - before);
}

function part(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
}

/** Reads the counters of every pair. */
export async function readPairs(connection: RTCPeerConnection, pairOf: (trackId: string) => number | undefined): Promise<PairCounters[]> {
  const pairs = new Map<number, PairCounters>();
  (await connection.getStats()).forEach((entry: InboundCounters & { type: string; trackIdentifier?: string }) => {
    const pair = entry.type === "inbound-rtp" ? pairOf(entry.trackIdentifier ?? "") : undefined;
    if (pair === undefined) return;
    const counters = pairs.get(pair) ?? { pair };
    counters[entry.kind] = entry;
    pairs.set(pair, counters);
  });
  return [...pairs.values()];
}
