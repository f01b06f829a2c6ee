/** A codec as the browser lists it. */
export interface Codec {
    mimeType: string;
    sdpFmtpLine?: string;
}
/**
 * Narrows what a transceiver offers to Opus, its RED, VP8, H.264, VP9, AV1 and their RTX, with `first` in front. Gives an empty list,
 * which means no preference, where nothing would be left.
 */
export declare function narrow<C extends Codec>(codecs: readonly C[], first: string): C[];
/** Asks for retransmission of lost sound, which browsers do not offer by themselves. */
export declare function withOpusNack(sdp: string): string;
/** Takes the UDP candidates out of an answer, so that media takes the server's TCP port. */
export declare function withoutUdpCandidates(sdp: string): string;
/** Takes the TCP candidates out of an answer, so that media takes UDP or nothing. */
export declare function withoutTcpCandidates(sdp: string): string;
/** Keeps those ICE servers that are reached without UDP. */
export declare function withoutUdpServers(servers: readonly RTCIceServer[]): RTCIceServer[];
