// The test of a connection in words.

import type { ConnectionTest, ConnectionTestName, ConnectionTestResult } from "../sdk/index.js";

/** What each part of a test is called. */
export const partNames: Record<ConnectionTestName, string> = {
  signaling: "Server",
  udp: "Media over UDP",
  tcp: "Media over TCP",
  turnUdp: "Relay over UDP",
  turnTcp: "Relay over TCP",
  turnTls: "Relay over TLS",
  bitrate: "Speed",
};
/** The parts, in the order in which they are shown. */
export const parts = Object.keys(partNames) as ConnectionTestName[];

/** What each light means. */
export const lights: Record<ConnectionTest["light"], { title: string; text: string }> = {
  green: { title: "Ready for calls", text: "Sound and video will be good here." },
  yellow: { title: "Calls will work, with losses", text: "Media has no direct way, or little room. Another network may be better." },
  red: { title: "No calls from here", text: "Nothing gets through for sound and video. Ask whoever runs this network, or use another one." },
};

/** One result in a few words. */
export function resultWords({ name, result, timeMs, reason, bitrate }: ConnectionTestResult): string {
  if (name === "bitrate" && bitrate !== undefined) {
    const speed = `${(bitrate / 1e6).toFixed(1)} Mbit/s`;
    return reason ? `${speed}. ${reason}` : speed;
  }
  if (result === "passed") return `${timeMs} ms`;
  return reason;
}

/** What one row says in a word, besides its colour and picture. */
export const verdicts: Record<ConnectionTestResult["result"], string> = { passed: "works", failed: "does not work", skipped: "not tested" };
