import { useEffect, useId, useRef, useState } from "react";
import { partNames, resultWords, summary, verdicts } from "../look/checkup.js";
import { errorWords } from "../look/words.js";
import type { Devices, JoinOptions } from "../sdk/index.js";
import { useConnectionTest } from "./connection-test.js";
import { DeviceFields } from "./device-fields.js";
import { useDevices, usePreview } from "./devices.js";
import { watchLevel } from "./level.js";
import { Avatar, Icon } from "./parts.js";
import { useParley } from "./provider.js";

/** Properties of PreJoin. */
export interface PreJoinProps {
  /** Called with what the user chose: devices, and whether microphone and camera start on. */
  onJoin(options: JoinOptions): void;
  /** Called by the button beside it; without it there is none. */
  onCancel?: () => void;
  /** Over the preview. Default "Ready to join?". */
  title?: string;
  /** Of the button. Default "Join". */
  joinLabel?: string;
  /** Whether there is a camera at all: false for audio calls. Default true. */
  video?: boolean;
  /** How it starts, for instance with the devices of the last call. */
  initial?: JoinOptions;
}

/** A look at oneself before a call: camera, microphone level, choice of devices, test of the network. */
export function PreJoin({ onJoin, onCancel, title = "Ready to join?", joinLabel = "Join", video = true, initial = {} }: PreJoinProps) {
  const { user } = useParley();
  const [devices, setDevices] = useState<Devices>(initial.devices ?? {});
  const [sound, setSound] = useState(!initial.startAudioMuted);
  const [picture, setPicture] = useState(video && !initial.startVideoPaused);
  const { stream, errors, opening } = usePreview({ camera: picture, devices });
  const lists = useDevices();
  const heading = useId();
  const { refresh } = lists;
  useEffect(refresh, [stream, refresh]); // devices have names once one is open

  const seen = picture && stream !== null && stream.getVideoTracks().length > 0;
  const problems = [...new Set([errors.microphone, errors.camera].filter((error) => error !== undefined).map(errorWords))];
  return (
    <section className="prl prl-prejoin" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      <div className="prl-preview">
        {seen ? (
          <PreviewVideo stream={stream} />
        ) : (
          <>
            <Avatar id={user?.uid ?? ""} name={user?.name ?? ""} src={user?.avatar} />
            <p className="prl-note">{picture && opening ? "Starting the camera…" : video ? "Camera off" : "Audio call"}</p>
          </>
        )}
        <div className="prl-preview-tools">
          <Switch on={sound} icon={sound ? "mic" : "micOff"} label="Microphone" onClick={() => setSound(!sound)} />
          {video && <Switch on={picture} icon={picture ? "camera" : "cameraOff"} label="Camera" onClick={() => setPicture(!picture)} />}
        </div>
      </div>
      <LevelMeter stream={sound ? stream : null} />
      {problems.map((words) => (
        <p key={words} className="prl-problem" role="alert">
          <Icon name="warning" />
          {words}
        </p>
      ))}
      <DeviceFields devices={devices} lists={lists} camera={video} onChange={(change) => setDevices({ ...devices, ...change })} />
      <NetworkTest />
      <div className="prl-foot">
        {onCancel && (
          <button type="button" className="prl-button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button
          type="button"
          className="prl-button prl-primary"
          onClick={() => onJoin({ ...initial, devices, startAudioMuted: !sound, startVideoPaused: video ? !picture : true })}
        >
          {joinLabel}
        </button>
      </div>
    </section>
  );
}

function PreviewVideo({ stream }: { stream: MediaStream }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (ref.current) ref.current.srcObject = stream;
  }, [stream]);
  return <video ref={ref} muted autoPlay playsInline aria-label="Your camera" />;
}

function Switch({ on, icon, label, onClick }: { on: boolean; icon: "mic" | "micOff" | "camera" | "cameraOff"; label: string; onClick(): void }) {
  return (
    <button type="button" className="prl-tool" data-off={!on} aria-pressed={on} aria-label={label} title={`${label} ${on ? "on" : "off"}`} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** Draws how loud a stream is, without rendering; null lies still. */
export function LevelMeter({ stream }: { stream: MediaStream | null }) {
  const meter = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = meter.current;
    if (!element || !stream) return;
    const draw = (level: number) => {
      element.style.setProperty("--prl-level", String(level));
      element.setAttribute("aria-valuenow", String(Math.round(level * 100)));
    };
    const stop = watchLevel(stream, draw);
    return () => {
      stop();
      draw(0);
    };
  }, [stream]);
  return (
    <div ref={meter} className="prl-meter" role="meter" aria-label="Microphone level" aria-valuemin={0} aria-valuemax={100} aria-valuenow={0}>
      <span />
    </div>
  );
}

/** Tests the connection on request and says what came of it. */
export function NetworkTest() {
  const { state } = useParley();
  const { running, results, light, run } = useConnectionTest();
  return (
    <div className="prl-test">
      <div className="prl-test-head">
        <p role="status">
          {light && <span className={`prl-lamp prl-${light}`} aria-hidden="true" />}
          {running ? "Testing the network… this takes some 8 seconds." : light ? <b>{summary({ light, results }).title}</b> : "Will the network do?"}
        </p>
        <button type="button" className="prl-button prl-quiet" disabled={running || state !== "connected"} onClick={run}>
          {light ? "Test again" : "Test the network"}
        </button>
      </div>
      {light && <p className="prl-hint">{summary({ light, results }).text}</p>}
      {(running || light) && (
        <ul className="prl-results" role="list">
          {results.map((result) => (
            <li key={result.name} data-result={result.result}>
              <Icon name={result.result === "passed" ? "check" : result.result === "failed" ? "close" : "minus"} />
              <span className="prl-part">
                {partNames[result.name]}
                <span className="prl-unseen"> {verdicts[result.result]}</span>
              </span>
              <span className="prl-hint"> {resultWords(result)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
