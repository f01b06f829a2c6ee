import { useEffect, useState } from "react";
import { hue, initials } from "../look/face.js";
import { paths, type IconName } from "../look/paths.js";
import { bars, qualityWords } from "../look/quality.js";
import { clock } from "../look/words.js";
import type { Call, Quality, User } from "../sdk/index.js";

/** A pictogram. It is decoration: the control around it carries the name. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="prl-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} transform={name === "hangup" ? "rotate(135 12 12)" : undefined} />
    </svg>
  );
}

/** A face: the user's picture if there is one, otherwise initials on a colour that stays theirs. Decoration, too. */
export function Avatar({ id, name, src, group }: { id: string; name: string; src?: string | undefined; group?: boolean }) {
  const [broken, setBroken] = useState("");
  const shown = src && src !== broken && /^(https:|data:image\/|\/)/.test(src);
  return (
    <span className={`prl-avatar prl-hue-${hue(id)}`} aria-hidden="true">
      {group ? <Icon name="group" /> : initials(name || id)}
      {shown && <img src={src} alt="" referrerPolicy="no-referrer" onError={() => setBroken(src)} />}
    </span>
  );
}

/** Four bars that tell how good a call is; nothing while that is not known. */
export function QualityBars({ quality }: { quality: Quality | undefined }) {
  if (!quality) return null;
  const words = qualityWords(quality);
  return (
    <span className="prl-signal" data-bars={bars[quality.grade] ?? 4} role="img" aria-label={words} title={words}>
      <i />
      <i />
      <i />
      <i />
    </span>
  );
}

/** How long a call has lasted. */
export function Timer({ since }: { since: number | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (since === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [since]);
  if (since === undefined) return null;
  return (
    <span className="prl-timer" role="timer" aria-label="Duration">
      {clock(now - since)}
    </span>
  );
}

/** Whom a call is with, as this user sees it. */
export function peerOf(call: Call, me: string | undefined): { id: string; name: string; avatar: string; group: boolean } {
  if (call.receiverType !== "user") {
    const { guid, session, name } = call.receiver as { guid?: string; session?: string; name: string };
    const id = guid ?? session ?? "";
    return { id, name: name || id, avatar: "", group: true };
  }
  const { uid, name, avatar } = call.initiator.uid === me ? (call.receiver as User) : call.initiator;
  return { id: uid, name: name || uid, avatar, group: false };
}
