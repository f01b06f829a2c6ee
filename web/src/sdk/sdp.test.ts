import { describe, expect, it } from "vitest";
import { narrow, withOpusNack, withoutUdpCandidates, withoutUdpServers } from "./sdp.js";

const chrome = [
  { mimeType: "video/VP8" },
  { mimeType: "video/rtx" },
  { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f" },
  { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f" },
  { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f" },
  { mimeType: "video/AV1", sdpFmtpLine: "level-idx=5;profile=0;tier=0" },
  { mimeType: "video/VP9", sdpFmtpLine: "profile-id=0" },
  { mimeType: "video/VP9", sdpFmtpLine: "profile-id=2" },
  { mimeType: "video/red" },
  { mimeType: "video/ulpfec" },
];
const names = (codecs: { mimeType: string }[]) => codecs.map((c) => c.mimeType.split("/")[1]);

describe("narrow", () => {
  it("keeps one form of each codec, the room's first and RTX last", () => {
    expect(names(narrow(chrome, "VP8"))).toEqual(["VP8", "H264", "VP9", "AV1", "rtx"]);
    expect(names(narrow(chrome, "AV1"))).toEqual(["AV1", "VP8", "H264", "VP9", "rtx"]);
  });

  it("keeps Opus and its RED of the audio codecs", () => {
    const audio = [{ mimeType: "audio/opus" }, { mimeType: "audio/red" }, { mimeType: "audio/PCMU" }, { mimeType: "audio/telephone-event" }];
    expect(names(narrow(audio, "opus"))).toEqual(["opus", "red"]);
  });

  it("has no preference where it would leave nothing", () => {
    expect(narrow([{ mimeType: "video/rtx" }, { mimeType: "video/H265" }], "VP8")).toEqual([]);
  });
});

describe("SDP edits", () => {
  const sdp = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", ""].join("\r\n");

  it("asks for NACK of Opus, once", () => {
    const wanted = withOpusNack(sdp);
    expect(wanted).toContain("a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n");
    expect(withOpusNack(wanted)).toBe(wanted);
  });

  it("takes UDP candidates out and leaves the TCP ones", () => {
    const udp = "a=candidate:1 1 udp 2130706431 10.0.0.1 7701 typ host";
    const tcp = "a=candidate:2 1 tcp 1671430143 10.0.0.1 7701 typ host tcptype passive";
    expect(withoutUdpCandidates([udp, tcp, "a=mid:0"].join("\r\n"))).toBe([tcp, "a=mid:0"].join("\r\n"));
  });

  it("keeps the TURN servers that are reached over TCP or TLS", () => {
    const servers = [{ urls: ["turn:h:3478?transport=udp", "turn:h:3478?transport=tcp", "turns:h:5349"], username: "u" }, { urls: "stun:h:3478" }];
    expect(withoutUdpServers(servers)).toEqual([{ urls: ["turn:h:3478?transport=tcp", "turns:h:5349"], username: "u" }]);
  });
});
