import type { Peer } from "./peer.js";
import type { Source } from "./types.js";

/** Counters of one track, from the browser's own statistics (W3C webrtc-stats). */
export interface TrackStats {
  source: Source | "";
  participantId: string;
  kind: "audio" | "video";
  codec: string;
  bytes: number;
  packets: number;
  packetsLost: number;
  /** Video: decoded or encoded so far. */
  frames: number;
  width: number;
  height: number;
  /** Received audio: energy so far. */
  audioEnergy: number;
  /** Received, in seconds. */
  jitter: number;
}

/** What a session sends and receives. */
export interface SessionStats {
  sent: TrackStats[];
  received: TrackStats[];
  /** The candidate pair in use: `udp` or `tcp`, how the TURN server is reached if it goes through one, the round trip. */
  transport: { protocol: string; relayProtocol: string; relayed: boolean; roundTripMs: number } | null;
}

type Entry = Record<string, unknown> & { id: string; type: string };

/** Reads the statistics of a PeerConnection. */
export async function readStats(
  peer: Peer | null,
  me: string,
  ownerOf: (track: MediaStreamTrack) => { participantId: string; source: Source } | undefined,
): Promise<SessionStats> {
  if (!peer) return { sent: [], received: [], transport: null };
  const entries = new Map<string, Entry>();
  (await peer.connection.getStats()).forEach((entry: Entry) => entries.set(entry.id, entry));
  const received: TrackStats[] = [];
  const sent: TrackStats[] = [];
  const tracks = new Map(peer.connection.getReceivers().map((r) => [r.track.id, r.track]));
  for (const entry of entries.values()) {
    if (entry.type === "inbound-rtp") {
      const track = tracks.get(String(entry["trackIdentifier"]));
      const owner = track && ownerOf(track);
      received.push({ ...counters(entry, entries), participantId: owner?.participantId ?? "", source: owner?.source ?? "" });
    } else if (entry.type === "outbound-rtp") {
      sent.push({ ...counters(entry, entries), participantId: me, source: peer.sourceOf(String(entry["mid"])) ?? "" });
    }
  }
  return { sent, received, transport: transportOf(entries) };
}

function counters(entry: Entry, entries: Map<string, Entry>): TrackStats {
  const number = (...names: string[]) => Number(names.map((n) => entry[n]).find((v) => v !== undefined) ?? 0);
  const mime = String(entries.get(String(entry["codecId"]))?.["mimeType"] ?? "");
  return {
    source: "",
    participantId: "",
    kind: entry["kind"] === "video" ? "video" : "audio",
    codec: mime.slice(mime.indexOf("/") + 1),
    bytes: number("bytesReceived", "bytesSent"),
    packets: number("packetsReceived", "packetsSent"),
    packetsLost: number("packetsLost"),
    frames: number("framesDecoded", "framesEncoded"),
    width: number("frameWidth"),
    height: number("frameHeight"),
    audioEnergy: number("totalAudioEnergy"),
    jitter: number("jitter"),
  };
}

function transportOf(entries: Map<string, Entry>): SessionStats["transport"] {
  const all = [...entries.values()];
  const selected = all.find((e) => e.type === "transport")?.["selectedCandidatePairId"];
  const pair = entries.get(String(selected)) ?? all.find((e) => e.type === "candidate-pair" && e["nominated"] && e["state"] === "succeeded");
  const local = pair && entries.get(String(pair["localCandidateId"]));
  if (!pair || !local) return null;
  return {
    protocol: String(local["protocol"] ?? ""),
    relayProtocol: String(local["relayProtocol"] ?? ""),
    relayed: local["candidateType"] === "relay",
    roundTripMs: Number(pair["currentRoundTripTime"] ?? 0) * 1000,
  };
}
