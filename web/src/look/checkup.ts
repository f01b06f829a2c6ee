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

/** What a whole test means, with what is amiss where only one thing is. */
export function summary({ light, results }: { light: ConnectionTest["light"]; results: readonly ConnectionTestResult[] }): { title: string; text: string } {
  const passed = (name: ConnectionTestName) => results.some((r) => r.name === name && r.result === "passed");
  const { title, text } = lights[light];
  if (!passed("signaling")) return { title, text: "The server cannot be reached. Look whether this device is online, or try again later." };
  const ways = results.filter(({ name }) => name !== "signaling" && name !== "bitrate");
  if (light === "red" && ways.every(({ result }) => result === "skipped")) return { title: "Not tested", text: ways[0]?.reason || text };
  if (light !== "yellow") return { title, text };
  const indirect = !passed("udp") && !passed("turnUdp");
  const slow = results.some(({ name, result }) => name === "bitrate" && result === "failed");
  if (indirect && slow) return { title, text };
  if (slow) return { title, text: "There is little room: sound will be good and pictures small. Another network may be better." };
  return { title, text: "No UDP gets through, so sound and pictures may come late. Another network may be better." };
}

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
