/** A codec as the browser lists it. */
export interface Codec {
  mimeType: string;
  sdpFmtpLine?: string;
}

const roomCodecs = ["VP8", "H264", "VP9", "AV1"];

function subtype(codec: Codec): string {
  return codec.mimeType.slice(codec.mimeType.indexOf("/") + 1).toUpperCase();
}

function parameter(codec: Codec, name: string): string {
  for (const part of (codec.sdpFmtpLine ?? "").split(";")) {
    const [key, value] = part.trim().split("=");
    if (key === name) return value ?? "";
  }
  return "";
}

/** One form of each codec is enough: offers grow with every m-line, and the server registers these. */
function usable(codec: Codec): boolean {
  switch (subtype(codec)) {
    case "H264":
      return parameter(codec, "packetization-mode") === "1" && parameter(codec, "profile-level-id").toLowerCase().startsWith("42");
    case "VP9":
      return (parameter(codec, "profile-id") || "0") === "0";
    case "AV1":
      return (parameter(codec, "profile") || "0") === "0";
    case "VP8":
    case "RTX":
    case "OPUS":
      return true;
    case "RED": // each packet with the sound of earlier ones (RFC 2198); the one of video is for FEC and of no use
      return codec.mimeType.toLowerCase().startsWith("audio/");
    default:
      return false;
  }
}

/**
 * Narrows what a transceiver offers to Opus, its RED, VP8, H.264, VP9, AV1 and their RTX, with `first` in front. Gives an empty list,
 * which means no preference, where nothing would be left.
 */
export function narrow<C extends Codec>(codecs: readonly C[], first: string): C[] {
  const rank = (codec: C): number => {
    const name = subtype(codec);
    if (name === first.toUpperCase()) return -1;
    const index = roomCodecs.indexOf(name);
    return index < 0 ? roomCodecs.length : index;
  };
  const kept = codecs.filter(usable);
  if (!kept.some((c) => subtype(c) !== "RTX")) return [];
  return kept.map((c, i) => ({ c, i })).sort((a, b) => rank(a.c) - rank(b.c) || a.i - b.i).map(({ c }) => c);
}

/** Asks for retransmission of lost sound, which browsers do not offer by themselves. */
export function withOpusNack(sdp: string): string {
  const lines = sdp.split("\r\n");
  const out: string[] = [];
  for (const line of lines) {
    out.push(line);
    const opus = /^a=rtpmap:(\d+) opus\/48000/i.exec(line);
    if (opus && !lines.includes(`a=rtcp-fb:${opus[1]} nack`)) out.push(`a=rtcp-fb:${opus[1]} nack`);
  }
  return out.join("\r\n");
}

/** Takes the UDP candidates out of an answer, so that media takes the server's TCP port. */
export function withoutUdpCandidates(sdp: string): string {
  return sdp
    .split("\r\n")
    .filter((line) => !/^a=candidate:\S+ \d+ udp /i.test(line))
    .join("\r\n");
}

/** Takes the TCP candidates out of an answer, so that media takes UDP or nothing. */
export function withoutTcpCandidates(sdp: string): string {
  return sdp
    .split("\r\n")
    .filter((line) => !/^a=candidate:\S+ \d+ tcp /i.test(line))
    .join("\r\n");
}

/** Keeps those ICE servers that are reached without UDP. */
export function withoutUdpServers(servers: readonly RTCIceServer[]): RTCIceServer[] {
  const kept: RTCIceServer[] = [];
  for (const server of servers) {
    const urls = [server.urls].flat().filter((url) => url.startsWith("turns:") || /[?&]transport=tcp\b/.test(url));
    if (urls.length > 0) kept.push({ ...server, urls });
  }
  return kept;
}
