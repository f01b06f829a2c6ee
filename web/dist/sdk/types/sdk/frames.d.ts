/** Reports the RTP timestamps of frames as they are shown; the returned function stops it. */
export declare function watchFrames(receiver: RTCRtpReceiver, seen: (rtpTimestamp: number) => void): () => void;
/** Whether this browser can tell which frame it shows. */
export declare function canWatchFrames(): boolean;
