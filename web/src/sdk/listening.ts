import type { Peer } from "./peer.js";
import { Silence } from "./silence.js";

const EVERY_MS = 50;

/** Listens to what comes in over a PeerConnection and calls `silent` when nothing does any more, until it is stopped. */
export function listen(peer: Peer, silent: () => void): () => void {
  const silence = new Silence();
  const heard = new Map<RTCRtpReceiver, number>();
  let recent: RTCRtpReceiver | undefined;
  let counting = false;

  /** Whether a receiver has played something new. The one that did so last is asked first: as a rule it is the only one. */
  const news = (): boolean => {
    const receivers = peer.connection.getReceivers().filter((receiver) => receiver !== recent);
    for (const receiver of recent ? [recent, ...receivers] : receivers) {
      const at = receiver.getSynchronizationSources?.().at(0)?.timestamp;
      if (at === undefined || at === heard.get(receiver)) continue;
      heard.set(receiver, at);
      recent = receiver;
      return true;
    }
    return false;
  };
  const count = async (): Promise<void> => {
    counting = true;
    try {
      const packets = await packetsReceived(peer.connection);
      if (packets !== undefined && silence.counted(performance.now(), packets) === "silent" && !peer.closed) silent();
    } finally {
      counting = false;
    }
  };
  const timer = setInterval(() => {
    if (peer.closed) return clearInterval(timer);
    if (silence.look(performance.now(), news()) === "count" && !counting) void count();
  }, EVERY_MS);
  return () => clearInterval(timer);
}

/** Everything that ever came in over a connection, reports included: packets, or bytes in a browser that counts only those. */
async function packetsReceived(connection: RTCPeerConnection): Promise<number | undefined> {
  let packets: number | undefined;
  let bytes: number | undefined;
  (await connection.getStats()).forEach((entry: Record<string, unknown>) => {
    if (entry["type"] === "transport" && typeof entry["packetsReceived"] === "number") packets = (packets ?? 0) + entry["packetsReceived"];
    if (entry["type"] === "candidate-pair" && typeof entry["bytesReceived"] === "number") bytes = (bytes ?? 0) + entry["bytesReceived"];
  });
  return packets ?? bytes;
}
