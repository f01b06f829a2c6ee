import { useEffect, useId, useState } from "react";
import { startLoop, stopLoop } from "../look/sounds.js";
import { closingWords, errorWords } from "../look/words.js";
import type { Session } from "../sdk/index.js";
import { useCall } from "./calls.js";
import { DeviceFields } from "./device-fields.js";
import { Floor } from "./floor.js";
import { Avatar, Icon, Timer, peerOf } from "./parts.js";
import { useParley } from "./provider.js";
import { usePlayback, useSession } from "./session.js";
import { Toolbar } from "./toolbar.js";

/** How long a message about a refused device stays, in milliseconds. */
const MESSAGE_MS = 8_000;

/** Properties of CallView. */
export interface CallViewProps {
  /** Fill the element around it instead of the window. */
  inline?: boolean;
  /** Let hear that it rings at the other side. Default true. */
  sound?: boolean;
}

/** The call that this device is in: ringing, talking, with everybody's pictures and the controls; nothing without a call. */
export function CallView({ inline = false, sound = true }: CallViewProps) {
  const { phase, call, session, hangUp } = useCall();
  const { user } = useParley();
  const now = useSession(session);
  const [settings, setSettings] = useState(false);
  const [message, say] = useMessage(session);
  const heading = useId();
  useEffect(() => setSettings(false), [session]);
  useEffect(() => {
    if (!sound || phase !== "calling") return;
    startLoop("ringback");
    return () => stopLoop("ringback");
  }, [sound, phase]);
  if (phase === "idle") return null;

  const peer = call && peerOf(call, user?.uid);
  const alone = !now || now.participants.length === 0;
  const waiting = phase === "calling" ? "Ringing…" : alone && peer?.group ? "Nobody else is here yet" : alone || now?.state === "connecting" ? "Connecting…" : "";
  return (
    <section className={`prl prl-call${inline ? " prl-inline" : ""}`} aria-labelledby={heading} data-phase={phase}
      onKeyDown={(event) => event.key === "Escape" && setSettings(false)}>
      <header className="prl-head">
        <h2 id={heading}>{peer?.name ?? "Calling…"}</h2>
        {phase === "talking" && <Timer since={call?.startedAt} />}
        <span className="prl-spring" />
        <span role="status" className="prl-state">
          {waiting}
        </span>
      </header>
      <Banners session={session} reconnecting={now?.state === "reconnecting"} message={message} />
      {now && session && phase === "talking" && !(alone && !peer?.group) ? (
        <Floor session={session} now={now} />
      ) : (
        <div className="prl-floor prl-waiting">{peer && <Avatar id={peer.id} name={peer.name} src={peer.avatar} group={peer.group} />}</div>
      )}
      {settings && session && <Settings session={session} failed={say} close={() => setSettings(false)} />}
      <Toolbar session={session} now={now} group={peer?.group ?? false} settings={settings} toggleSettings={() => setSettings(!settings)}
        hangUp={(options) => void hangUp(options)} failed={say} />
    </section>
  );
}

/** The last thing that went wrong with a device, in words; and how to say another. */
function useMessage(session: Session | null): [message: string, say: (error: unknown) => void] {
  const [message, setMessage] = useState("");
  useEffect(() => {
    if (!session) return;
    const first = [...session.local.errors.values()][0];
    if (first) setMessage(errorWords(first));
    const offs = [
      session.on("mediaError", ({ error }) => setMessage(errorWords(error))),
      session.on("mutedByModerator", ({ by }) => setMessage(`${by.name || by.uid || "The operator"} has muted you.`)),
    ];
    return () => {
      offs.forEach((off) => off());
      setMessage("");
    };
  }, [session]);
  useEffect(() => {
    if (!message) return;
    const timer = setTimeout(() => setMessage(""), MESSAGE_MS);
    return () => clearTimeout(timer);
  }, [message]);
  return [message, (error) => setMessage(errorWords(error))];
}

function Banners({ session, reconnecting, message }: { session: Session | null; reconnecting: boolean; message: string }) {
  const { blocked, resume } = usePlayback(session);
  return (
    <div className="prl-banners">
      {reconnecting && (
        <p className="prl-banner" role="status">
          The connection is lost. Reconnecting…
        </p>
      )}
      {blocked && (
        <p className="prl-banner">
          The browser keeps the call silent.
          <button type="button" className="prl-button" onClick={resume}>
            Turn sound on
          </button>
        </p>
      )}
      {message && (
        <p className="prl-banner" role="alert">
          <Icon name="warning" />
          {message}
        </p>
      )}
    </div>
  );
}

function Settings({ session, failed, close }: { session: Session; failed(error: unknown): void; close(): void }) {
  const [devices, setDevices] = useState(session.devices);
  const change = async (chosen: typeof devices) => {
    setDevices({ ...devices, ...chosen });
    try {
      if ("microphoneId" in chosen) await session.switchMicrophone(chosen.microphoneId ?? "");
      if ("speakerId" in chosen) await session.switchSpeaker(chosen.speakerId ?? "");
      if ("cameraId" in chosen) await session.switchCamera(chosen.cameraId);
    } catch (error) {
      failed(error);
    }
  };
  return (
    <div className="prl-settings" role="dialog" aria-label="Devices">
      <DeviceFields devices={devices} onChange={(chosen) => void change(chosen)} />
      <button type="button" className="prl-button" onClick={close} autoFocus>
        Done
      </button>
    </div>
  );
}

/** Says how the last call ended, until it is dismissed or the next call begins; nothing if nothing needs saying. */
export function CallNotice() {
  const { ended, dismiss } = useCall();
  const { user } = useParley();
  if (!ended) return null;
  const peer = ended.call && peerOf(ended.call, user?.uid);
  const words = ended.error === undefined ? closingWords(ended.reason, peer?.group ? "" : peer?.name) : errorWords(ended.error);
  return (
    <div className="prl prl-notice" role="status">
      <span>{words}</span>
      <button type="button" className="prl-button prl-quiet" onClick={dismiss}>
        Dismiss
      </button>
    </div>
  );
}
