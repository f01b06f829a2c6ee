import { useEffect, useState } from "react";

/** Readings a second: enough for the eye, few enough for a component to render. */
const PER_SECOND = 15;

/**
 * Tells how loud a stream's sound is, from 0 to 1, some fifteen times a second, until the returned function is called. It tells
 * nothing of a stream without sound.
 */
export function watchLevel(stream: MediaStream, told: (level: number) => void): () => void {
  if (stream.getAudioTracks().length === 0 || typeof AudioContext === "undefined") return () => {};
  const audio = new AudioContext();
  void audio.resume().catch(() => {}); // where the page was not touched yet, but a microphone is open
  const analyser = audio.createAnalyser();
  audio.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    told(Math.min(1, Math.sqrt(peak))); // the root, because ears hear the logarithm
  }, 1000 / PER_SECOND);
  return () => {
    clearInterval(timer);
    void audio.close();
  };
}

/** How loud a stream's sound is, from 0 to 1; 0 for null and for silence. The component renders some fifteen times a second. */
export function useMicrophoneLevel(stream: MediaStream | null): number {
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (!stream) return;
    const stop = watchLevel(stream, (now) => setLevel(Math.round(now * 50) / 50));
    return () => {
      stop();
      setLevel(0);
    };
  }, [stream]);
  return level;
}
