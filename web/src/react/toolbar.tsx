import type { IconName } from "../look/paths.js";
import { ParleyError, type Session } from "../sdk/index.js";
import { Icon } from "./parts.js";
import type { SessionReading } from "./session.js";

/** Properties of Toolbar. */
export interface ToolbarProps {
  session: Session | null;
  now: SessionReading | null;
  /** More than two may take part: hands can be raised, and leaving does not end the call. */
  group: boolean;
  /** Whether the device panel is open, and the button for it. */
  settings: boolean;
  toggleSettings(): void;
  hangUp(options?: { forAll?: boolean }): void;
  /** A device refused. */
  failed(error: unknown): void;
}

/** The controls of a call. */
export function Toolbar({ session, now, group, settings, toggleSettings, hangUp, failed }: ToolbarProps) {
  const { local, rights } = now ?? {};
  const act = (action: (session: Session) => Promise<void>) => () => void (session && action(session).catch(failed));
  const share = () => void session?.shareScreen().catch((error: unknown) => dismissed(error) || failed(error));
  const may = (source: "microphone" | "camera" | "screen") => !rights || rights.publish.includes(source);
  return (
    <div className="prl-tools" role="toolbar" aria-label="Call">
      {may("microphone") && (
        <Tool icon={local?.microphoneOn ? "mic" : "micOff"} label={local?.microphoneOn ? "Mute" : "Unmute"} name={local?.microphoneOn ? "Mute microphone" : "Unmute microphone"}
          off={local && !local.microphoneOn} disabled={!local} onClick={act((s) => s.setMicrophone(!s.local.microphoneOn))} />
      )}
      {may("camera") && (
        <Tool icon={local?.cameraOn ? "camera" : "cameraOff"} label="Camera" name={local?.cameraOn ? "Turn camera off" : "Turn camera on"}
          off={local && !local.cameraOn} disabled={!local} onClick={act((s) => s.setCamera(!s.local.cameraOn))} />
      )}
      {may("screen") && canShare() && (
        <Tool icon={local?.screenOn ? "screenOff" : "screen"} label={local?.screenOn ? "Stop" : "Share"} name={local?.screenOn ? "Stop sharing the screen" : "Share the screen"}
          on={local?.screenOn} disabled={!local} onClick={local?.screenOn ? act((s) => s.stopScreenShare()) : share} />
      )}
      {group && (
        <Tool icon="hand" label="Hand" name={local?.raisedAt === undefined ? "Raise hand" : "Lower hand"} on={local?.raisedAt !== undefined} disabled={!local}
          onClick={act((s) => (s.local.raisedAt === undefined ? s.raiseHand() : s.lowerHand()))} />
      )}
      <Tool icon="sliders" label="Devices" name="Devices" on={settings} expanded={settings} disabled={!local} onClick={toggleSettings} />
      {group && rights?.moderate && <Tool icon="leave" label="End all" name="End the call for everybody" onClick={() => hangUp({ forAll: true })} />}
      <Tool icon="hangup" label={group ? "Leave" : "End"} name={group ? "Leave the call" : "End the call"} end onClick={() => hangUp()} />
    </div>
  );
}

interface ToolProps {
  icon: IconName;
  /** What stands below the pictogram. */
  label: string;
  /** What a screen reader says. */
  name: string;
  on?: boolean | undefined;
  off?: boolean | undefined;
  end?: boolean;
  expanded?: boolean;
  disabled?: boolean;
  onClick(): void;
}

function Tool({ icon, label, name, on, off, end, expanded, disabled = false, onClick }: ToolProps) {
  return (
    <button type="button" className={`prl-tool${end ? " prl-end" : ""}`} aria-label={name} title={name} aria-expanded={expanded} data-on={on} data-off={off}
      disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
      <span className="prl-label" aria-hidden="true">
        {label}
      </span>
    </button>
  );
}

/** Whoever closes the browser's question has changed their mind; that is no failure. */
function dismissed(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "MEDIA_NOT_ALLOWED";
}

function canShare(): boolean {
  return typeof navigator !== "undefined" && "getDisplayMedia" in (navigator.mediaDevices ?? {});
}
