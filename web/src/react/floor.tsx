import { useEffect, useRef, useState, type CSSProperties } from "react";
import { fit } from "../look/layout.js";
import type { Session } from "../sdk/index.js";
import type { SessionReading } from "./session.js";
import { ScreenTile, Tile } from "./tile.js";

/** Between tiles, in pixels; style.css has the same. */
const GAP = 10;
/** Narrower than this is a phone held upright, where tiles may be taller than wide. */
const NARROW = 560;

/** Everybody's tiles, as large as they fit; oneself in a corner in a call of two; a shared screen beside them. */
export function Floor({ session, now }: { session: Session; now: SessionReading }) {
  const { local, participants, rights } = now;
  const shared = participants.find((one) => one.screenOn) ?? (local.screenOn ? local : undefined);
  const pip = participants.length === 1 && !shared;
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const count = pip ? 1 : participants.length + 1;
  const tile = fit(count, width, height, GAP, width < NARROW ? 0.7 : 1);
  const size = { "--prl-tile-width": `${tile.width}px`, "--prl-tile-height": `${tile.height}px` } as CSSProperties;
  return (
    <div className={["prl-floor", shared && "prl-sharing", pip && "prl-pip"].filter(Boolean).join(" ")}>
      {shared && <ScreenTile key={shared.participantId} session={session} participant={shared} />}
      <div ref={box} className="prl-grid" role="list" aria-label="People in the call" style={size}>
        {participants.map((one) => (
          <Tile key={one.participantId} session={session} participant={one} moderate={rights.moderate} />
        ))}
        {/* Not by its id, which a rejoin changes: the picture of oneself stays. */}
        <Tile key="self" session={session} participant={local} />
      </div>
    </div>
  );
}

function useSize(ref: { readonly current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const watcher = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [ref]);
  return size;
}
