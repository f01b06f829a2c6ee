import { sendOffer } from "./offers.js";
import { narrow, withoutTcpCandidates, withoutUdpCandidates } from "./sdp.js";

/** A way that media may take. */
export type WayName = "udp" | "tcp" | "turnUdp" | "turnTcp" | "turnTls";

/** Sends the offer of one PeerConnection of a test. */
export type TestOffer = (leg: string, body: OfferBody) => Promise<{ sdp: string }>;

interface OfferBody {
  sdp: string;
  publications: { mid: string; source: string; muted: boolean }[];
  slots: { pair: number; audioMid: string; videoMid: string }[];
}

interface Outcome {
  result: "passed" | "failed";
  timeMs: number;
  reason: string;
}

const CONNECT_MS = 8_000;
/** How long the estimate of the network is given to grow, and how long is measured then. */
const WARM_UP_MS = 3_000;
const MEASURE_MS = 2_500;
const MAX_BITRATE = 3_000_000;

const turn: Record<"turnUdp" | "turnTcp" | "turnTls", (url: string) => boolean> = {
  turnUdp: (url) => url.startsWith("turn:") && !/[?&]transport=tcp\b/.test(url),
  turnTcp: (url) => url.startsWith("turn:") && /[?&]transport=tcp\b/.test(url),
  turnTls: (url) => url.startsWith("turns:"),
};

/** One way to the media server, tried with a PeerConnection that has no other. */
export class MediaWay {
  readonly name: WayName;
  #servers: RTCIceServer[];

  constructor(name: WayName, servers: readonly RTCIceServer[]) {
    this.name = name;
    this.#servers = name === "udp" || name === "tcp" ? [] : only(servers, turn[name]);
  }

  /** Whether the server offers this way at all. */
  get exists(): boolean {
    return this.name === "udp" || this.name === "tcp" || this.#servers.length > 0;
  }

  /** Connects and hangs up. */
  async connect(offer: TestOffer, signal?: AbortSignal): Promise<Outcome> {
    let trouble = "";
    let connection: RTCPeerConnection | undefined;
    const began = performance.now();
    try {
      // A browser may refuse a server's address or port: that is this way's failure, not the test's.
      connection = new RTCPeerConnection({
        bundlePolicy: "max-bundle",
        iceServers: this.#servers,
        iceTransportPolicy: this.#servers.length > 0 ? "relay" : "all",
      });
      connection.onicecandidateerror = ({ errorCode, errorText }) => {
        trouble = `TURN answered ${errorCode}${errorText ? ` ${errorText}` : ""}.`;
      };
      receive(connection);
      await negotiate(connection, this.name, [], offer, (sdp) => this.#narrowed(sdp));
      await connected(connection, signal);
      return { result: "passed", timeMs: since(began), reason: "" };
    } catch (error) {
      const reason = trouble || (error instanceof Error ? error.message : String(error));
      return { result: "failed", timeMs: since(began), reason };
    } finally {
      connection?.close();
    }
  }

  #narrowed(sdp: string): string {
    if (this.name === "udp") return withoutTcpCandidates(sdp);
    if (this.name === "tcp") return withoutUdpCandidates(sdp);
    return sdp;
  }
}

/** Sends a picture that does not compress to the server and back, and measures what arrives. */
export async function measureBitrate(
  iceServers: RTCIceServer[],
  offer: TestOffer,
  signal?: AbortSignal,
): Promise<{ bitrate: number; timeMs: number; reason: string }> {
  const began = performance.now();
  const up = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
  const down = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
  const noise = startNoise();
  try {
    const sender = up.addTransceiver(noise.track, { direction: "sendonly", sendEncodings: [{ maxBitrate: MAX_BITRATE }] });
    prefer(sender);
    receive(down);
    await Promise.all([negotiate(down, "down", [], offer), negotiate(up, "up", [{ transceiver: sender, source: "camera" }], offer)]);
    await Promise.all([connected(up, signal), connected(down, signal)]);
    await pause(WARM_UP_MS, signal);
    const before = await received(down);
    const from = performance.now();
    await pause(MEASURE_MS, signal);
    const bitrate = Math.round((((await received(down)) - before) * 8 * 1000) / (performance.now() - from));
    return { bitrate, timeMs: since(began), reason: bitrate > 0 ? "" : "Nothing came back." };
  } catch (error) {
    return { bitrate: 0, timeMs: since(began), reason: error instanceof Error ? error.message : String(error) };
  } finally {
    noise.stop();
    up.close();
    down.close();
  }
}

function only(servers: readonly RTCIceServer[], wanted: (url: string) => boolean): RTCIceServer[] {
  return servers.flatMap((server) => {
    const urls = [server.urls].flat().filter(wanted);
    return urls.length > 0 ? [{ ...server, urls }] : [];
  });
}

/** The one pair of a leg. */
function receive(connection: RTCPeerConnection): void {
  for (const kind of ["audio", "video"] as const) prefer(connection.addTransceiver(kind, { direction: "recvonly" }));
}

/** Keeps offers short. */
function prefer(transceiver: RTCRtpTransceiver): void {
  const { kind } = transceiver.receiver.track;
  const codecs = narrow(RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [], kind === "video" ? "VP8" : "opus");
  if (codecs.length > 0) transceiver.setCodecPreferences?.(codecs);
}

async function negotiate(
  connection: RTCPeerConnection,
  leg: string,
  sends: { transceiver: RTCRtpTransceiver; source: string }[],
  offer: TestOffer,
  edit: (sdp: string) => string = (sdp) => sdp,
): Promise<void> {
  await connection.setLocalDescription();
  const receivers = connection.getTransceivers().filter((t) => !sends.some((s) => s.transceiver === t));
  const [audio, video] = receivers;
  const body: OfferBody = {
    sdp: connection.localDescription?.sdp ?? "",
    publications: sends.map(({ transceiver, source }) => ({ mid: transceiver.mid ?? "", source, muted: false })),
    slots: audio && video ? [{ pair: 0, audioMid: audio.mid ?? "", videoMid: video.mid ?? "" }] : [],
  };
  const answer = await sendOffer(() => offer(leg, body), body, () => connection.signalingState === "closed");
  await connection.setRemoteDescription({ type: "answer", sdp: edit(answer.sdp) });
}

function connected(connection: RTCPeerConnection, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No connection within ${CONNECT_MS / 1000} s.`)), CONNECT_MS);
    signal?.addEventListener("abort", () => reject(new Error("The test was given up.")), { once: true });
    const look = () => {
      if (connection.connectionState === "failed") reject(new Error("No way through: a firewall blocks it, or nothing listens there."));
      if (connection.connectionState !== "connected") return;
      clearTimeout(timer);
      resolve();
    };
    connection.onconnectionstatechange = look;
    look();
  });
}

async function received(connection: RTCPeerConnection): Promise<number> {
  let bytes = 0;
  (await connection.getStats()).forEach((entry: { type: string; kind?: string; bytesReceived?: number }) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") bytes += entry.bytesReceived ?? 0;
  });
  return bytes;
}

/** A picture of noise, which no encoder makes small. */
function startNoise(): { track: MediaStreamTrack; stop(): void } {
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 360;
  const context = canvas.getContext("2d");
  const image = new ImageData(canvas.width, canvas.height);
  const values = new Uint32Array(image.data.buffer);
  const draw = () => {
    for (let i = 0; i < values.length; i++) values[i] = 0xff000000 | (Math.random() * 0x1000000);
    context?.putImageData(image, 0, 0);
  };
  draw();
  const timer = setInterval(draw, 40);
  const [track] = canvas.captureStream(25).getVideoTracks();
  if (!track) throw new Error("This browser cannot film a canvas.");
  return {
    track,
    stop() {
      clearInterval(timer);
      track.stop();
    },
  };
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("The test was given up.")), { once: true });
    setTimeout(resolve, ms);
  });
}

function since(began: number): number {
  return Math.max(1, Math.round(performance.now() - began));
}
