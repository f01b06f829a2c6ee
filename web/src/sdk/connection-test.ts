import { codeOf } from "./errors.js";
import { MediaWay, measureBitrate, type TestOffer, type WayName } from "./media-way.js";

/** What is tested, in this order: signaling, the ways that media may take, and how much goes through. */
export type ConnectionTestName = "signaling" | WayName | "bitrate";

/** How one part of a test went. */
export interface ConnectionTestResult {
  name: ConnectionTestName;
  /** `skipped`: there was nothing to test, as TURN on a server without it. */
  result: "passed" | "failed" | "skipped";
  /** How long it took, in milliseconds; of signaling the round trip. */
  timeMs: number;
  /** Why it failed or was skipped, for people; "" otherwise. */
  reason: string;
  /** Of the bit rate: bit/s that went up to the server and down again. The test sends no more than 3 Mbit/s. */
  bitrate?: number;
}

/** A whole test: `green` for good calls, `yellow` for calls that work with losses, `red` for none. */
export interface ConnectionTest {
  light: "green" | "yellow" | "red";
  results: ConnectionTestResult[];
}

/** Options of a test. */
export interface ConnectionTestOptions {
  /** Hears of each part when it is done. */
  progress?: (result: ConnectionTestResult) => void;
  /** Gives the test up. */
  signal?: AbortSignal;
}

interface TestConfig extends ConnectionTestOptions {
  online(): boolean;
  request<T>(method: string, params: object): Promise<T>;
}

const WAYS: WayName[] = ["udp", "tcp", "turnUdp", "turnTcp", "turnTls"];
const ROUND_TRIPS = 3;
/** Below this a call of two by video is no pleasure: it is what 360 lines take, with sound and room for losses. */
export const GOOD_BITRATE = 700_000;

/** Tries the connection to the server in every way there is. Never rejects: what fails is in the results. */
export async function testConnection(config: TestConfig): Promise<ConnectionTest> {
  const results: ConnectionTestResult[] = [];
  const done = (result: ConnectionTestResult): ConnectionTestResult => {
    results.push(result);
    config.progress?.(result);
    return result;
  };
  const skip = (names: ConnectionTestName[], reason: string) => names.forEach((name) => done({ name, result: "skipped", timeMs: 0, reason }));

  const signaling = done(await testSignaling(config));
  if (signaling.result !== "passed") skip([...WAYS, "bitrate"], "The server cannot be reached.");
  else {
    try {
      const test = await config.request<{ testId: string; iceServers: RTCIceServer[] }>("connection.test", {});
      try {
        await testMedia(config, test.testId, test.iceServers, done);
      } finally {
        config.request("connection.testEnd", { testId: test.testId }).catch(() => {});
      }
    } catch (error) {
      const missing = [...WAYS, "bitrate" as const].filter((name) => !results.some((r) => r.name === name));
      if (config.signal?.aborted) skip(missing, "The test was given up.");
      else skip(missing, codeOf(error) === "ERR_TOO_MANY_REQUESTS" ? "Too many tests; wait a little." : "The server takes no tests now.");
    }
  }
  const order = ["signaling", ...WAYS, "bitrate"];
  results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return { light: lightOf(results), results };
}

/** The light of a test. Media over UDP and enough of it is green; anything that carries media is yellow. */
export function lightOf(results: readonly ConnectionTestResult[]): ConnectionTest["light"] {
  const passed = (name: ConnectionTestName) => results.some((r) => r.name === name && r.result === "passed");
  if (!passed("signaling") || !WAYS.some(passed)) return "red";
  const slow = results.some((r) => r.name === "bitrate" && r.result === "failed");
  return (passed("udp") || passed("turnUdp")) && !slow ? "green" : "yellow";
}

async function testSignaling({ online, request }: TestConfig): Promise<ConnectionTestResult> {
  if (!online()) return { name: "signaling", result: "failed", timeMs: 0, reason: "There is no connection to the server." };
  let best = Infinity;
  try {
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const asked = performance.now();
      await request("ping", {});
      best = Math.min(best, performance.now() - asked);
    }
  } catch {
    return { name: "signaling", result: "failed", timeMs: 0, reason: "The server does not answer." };
  }
  return { name: "signaling", result: "passed", timeMs: Math.max(1, Math.round(best)), reason: "" };
}

/** All ways at once, then the bit rate over the ways that work. */
async function testMedia(
  { request, signal }: TestConfig,
  testId: string,
  iceServers: RTCIceServer[],
  done: (result: ConnectionTestResult) => ConnectionTestResult,
): Promise<void> {
  const offer: TestOffer = (leg, body) => request("connection.testOffer", { testId, leg, ...body });
  const tried = await Promise.all(
    WAYS.map(async (name) => {
      const way = new MediaWay(name, iceServers);
      if (!way.exists) return done({ name, result: "skipped", timeMs: 0, reason: "This server does not offer it." });
      const outcome = await way.connect(offer, signal);
      return done({ name, ...outcome });
    }),
  );
  signal?.throwIfAborted();
  if (!tried.some(({ result }) => result === "passed")) {
    done({ name: "bitrate", result: "skipped", timeMs: 0, reason: "No way for media works." });
    return;
  }
  const { bitrate, timeMs, reason } = await measureBitrate(iceServers, offer, signal);
  if (reason) done({ name: "bitrate", result: "failed", timeMs, reason });
  else if (bitrate < GOOD_BITRATE) done({ name: "bitrate", result: "failed", timeMs, reason: "Too slow for a good picture.", bitrate });
  else done({ name: "bitrate", result: "passed", timeMs, reason: "", bitrate });
}
