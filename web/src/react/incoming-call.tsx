import { useEffect, useId, useRef } from "react";
import { startLoop, stopLoop } from "../look/sounds.js";
import type { Call, JoinOptions } from "../sdk/index.js";
import { useCall, useIncomingCalls } from "./calls.js";
import { Avatar, Icon, peerOf } from "./parts.js";
import { useParley } from "./provider.js";

/** Properties of IncomingCall. */
export interface IncomingCallProps {
  /**
   * Called instead of taking the call at once, for instance to show a PreJoin first; the call rings until it is accepted. The
   * options are what the user chose: `startVideoPaused` for an answer without camera.
   */
  onAccept?: (call: Call, options: JoinOptions) => void;
  /** Ring aloud. Default true. Browsers keep quiet until the user has touched the page once. */
  sound?: boolean;
}

/** Asks what to do with the call that rings here, the oldest first; nothing while none does. */
export function IncomingCall({ onAccept, sound = true }: IncomingCallProps) {
  const { calls, accept, reject } = useIncomingCalls();
  const call = calls[0];
  if (!call) return null;
  return (
    <Ringing
      key={call.sessionId}
      call={call}
      sound={sound}
      accept={(options) => (onAccept ? onAccept(call, options) : void accept(call, options))}
      reject={() => void reject(call)}
    />
  );
}

interface RingingProps {
  call: Call;
  sound: boolean;
  accept(options: JoinOptions): void;
  reject(): void;
}

function Ringing({ call, sound, accept, reject }: RingingProps) {
  const { user } = useParley();
  const busy = useCall().phase !== "idle";
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const id = useId();

  useEffect(() => {
    const element = dialog.current;
    if (busy) element?.show();
    else element?.showModal();
    // On the name, not on a button: whoever is typing when it rings must not answer by accident.
    title.current?.focus();
    return () => element?.close();
  }, [busy]);
  useEffect(() => {
    if (!sound) return;
    startLoop("ring");
    return () => stopLoop("ring");
  }, [sound]);

  const { initiator } = call;
  const caller = initiator.name || initiator.uid;
  const peer = peerOf(call, user?.uid);
  const video = call.type === "video";
  return (
    <dialog
      ref={dialog}
      className={`prl prl-sheet${busy ? " prl-corner" : ""}`}
      role="alertdialog"
      aria-labelledby={`${id}title`}
      aria-describedby={`${id}what`}
      onCancel={(event) => {
        event.preventDefault();
        reject();
      }}
    >
      <div className="prl-ringing">
        <p className="prl-hint" id={`${id}what`}>
          {video ? "Video" : "Audio"} call{peer.group ? ` in ${peer.name}` : ""} from
        </p>
        <Avatar id={initiator.uid} name={caller} src={initiator.avatar} />
        <h2 ref={title} id={`${id}title`} tabIndex={-1}>
          {caller}
        </h2>
        {busy && <p className="prl-hint">Accepting ends the call you are in.</p>}
        <div className="prl-choices">
          <Choice kind="no" icon="hangup" label="Decline" onClick={reject} />
          {video && <Choice kind="plain" icon="phone" label="Audio only" onClick={() => accept({ startVideoPaused: true })} />}
          <Choice kind="yes" icon={video ? "camera" : "phone"} label="Accept" onClick={() => accept({})} />
        </div>
      </div>
    </dialog>
  );
}

function Choice({ kind, icon, label, onClick }: { kind: "yes" | "no" | "plain"; icon: "hangup" | "phone" | "camera"; label: string; onClick(): void }) {
  return (
    <button type="button" className={`prl-choice prl-${kind}`} onClick={onClick}>
      <span className="prl-disc">
        <Icon name={icon} />
      </span>
      {label}
    </button>
  );
}
