/** Reports the RTP timestamps of frames as they are shown; the returned function stops it. */
export function watchFrames(receiver: RTCRtpReceiver, seen: (rtpTimestamp: number) => void): () => void {
  const stops = [watchElement(receiver.track, seen), watchReceiver(receiver, seen)];
  return () => stops.forEach((stop) => stop());
}

/** Whether this browser can tell which frame it shows. */
export function canWatchFrames(): boolean {
  const video = globalThis.HTMLVideoElement?.prototype as { requestVideoFrameCallback?: unknown } | undefined;
  const receiver = globalThis.RTCRtpReceiver?.prototype as { getSynchronizationSources?: unknown } | undefined;
  return Boolean(video?.requestVideoFrameCallback ?? receiver?.getSynchronizationSources);
}

/** An element outside the page plays the track just for its frame callbacks. */
function watchElement(track: MediaStreamTrack, seen: (rtpTimestamp: number) => void): () => void {
  const video = document.createElement("video");
  if (!("requestVideoFrameCallback" in video)) return () => {};
  let stopped = false;
  const next = () => {
    video.requestVideoFrameCallback((_now, metadata) => {
      if (stopped) return;
      if (metadata.rtpTimestamp !== undefined) seen(metadata.rtpTimestamp);
      next();
    });
  };
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  next();
  video.play().catch(() => {});
  return () => {
    stopped = true;
    video.srcObject = null;
  };
}

/** The receiver itself also knows the last frame that it delivered, and works in hidden pages, where elements stand still. */
function watchReceiver(receiver: RTCRtpReceiver, seen: (rtpTimestamp: number) => void): () => void {
  if (!receiver.getSynchronizationSources) return () => {};
  const timer = setInterval(() => {
    const newest = receiver.getSynchronizationSources().at(0);
    if (newest?.rtpTimestamp !== undefined) seen(newest.rtpTimestamp);
  }, 40);
  return () => clearInterval(timer);
}
