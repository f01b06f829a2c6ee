import { memo, useEffect, useState } from "react";
import { qualityWords } from "../look/quality.js";
import { pauseWords } from "../look/words.js";
import type { Session } from "../sdk/index.js";
import { Avatar, Icon, QualityBars } from "./parts.js";
import { useMedia, type ParticipantReading } from "./session.js";

/** A picture is cropped to fill its tile unless more than this much of it would be lost. */
const CROP_LIMIT = 1.45;

/** Properties of Tile. */
export interface TileProps {
  session: Session;
  participant: ParticipantReading;
  /** Buttons to mute and to put out the participant, for moderators. */
  moderate?: boolean;
}

/** One person of a call: picture or face, name, what is muted, how good it is. It also plays that person's sound. */
export const Tile = memo(function Tile({ session, participant, moderate = false }: TileProps) {
  const { user, self, stream, cameraOn, microphoneOn, speaking, quality, raisedAt, cameraPaused } = participant;
  const ref = useMedia(session, stream);
  const tall = useLetterbox(ref);
  const name = self ? "You" : user.name || user.uid;
  const note = pauseWords("Video", cameraPaused);
  const hand = raisedAt !== undefined;
  const words = [name, !microphoneOn && "muted", !cameraOn && "camera off", hand && "hand raised", note, qualityWords(quality)];
  return (
    <div
      className={["prl-tile", self && "prl-self", speaking && microphoneOn && "prl-speaking", tall && "prl-tall"].filter(Boolean).join(" ")}
      role="listitem"
      aria-label={words.filter(Boolean).join(", ")}
      data-user={user.uid}
    >
      {!cameraOn && <Avatar id={user.uid} name={user.name} src={user.avatar} />}
      {/* Hidden from sight only when the camera is off: an element that is not displayed may stop playing sound. */}
      <video ref={ref} muted={self} autoPlay playsInline tabIndex={-1} aria-hidden="true" data-off={!cameraOn || undefined} />
      {note && cameraOn && <p className="prl-tile-note">{note}</p>}
      {hand && (
        <span className="prl-hand">
          <Icon name="hand" />
        </span>
      )}
      <div className="prl-plate" aria-hidden="true">
        {!microphoneOn && <Icon name="micOff" />}
        <span>{name}</span>
        <QualityBars quality={quality} />
      </div>
      {moderate && !self && <Moderation session={session} participant={participant} name={name} />}
    </div>
  );
});

function Moderation({ session, participant, name }: { session: Session; participant: ParticipantReading; name: string }) {
  const { participantId, microphoneOn, raisedAt } = participant;
  const act = (action: Promise<void>) => void action.catch(() => {}); // what came of it is seen on the tile
  return (
    <div className="prl-moderation" role="group" aria-label={`Moderate ${name}`}>
      {raisedAt !== undefined && (
        <button type="button" title={`Lower ${name}'s hand`} aria-label={`Lower ${name}'s hand`} onClick={() => act(session.lowerHand(participantId))}>
          <Icon name="hand" />
        </button>
      )}
      {microphoneOn && (
        <button type="button" title={`Mute ${name}`} aria-label={`Mute ${name}`} onClick={() => act(session.muteParticipant(participantId))}>
          <Icon name="micOff" />
        </button>
      )}
      <button type="button" title={`Remove ${name}`} aria-label={`Remove ${name}`} onClick={() => act(session.expel(participantId))}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** A screen that somebody shares, with its sound. */
export function ScreenTile({ session, participant }: TileProps) {
  const ref = useMedia(session, participant.screen);
  const name = participant.user.name || participant.user.uid;
  const note = pauseWords("Screen", participant.screenPaused);
  return (
    <div className="prl-screen">
      <video ref={ref} muted={participant.self} autoPlay playsInline aria-label={participant.self ? "The screen that you share" : `${name}'s screen`} />
      {note && <p className="prl-tile-note">{note}</p>}
      <div className="prl-plate">
        <Icon name="screen" />
        <span>{participant.self ? "You share this" : name}</span>
      </div>
    </div>
  );
}

/** Whether a picture fits its element so badly that cropping would take too much of it away. */
function useLetterbox(ref: { readonly current: HTMLVideoElement | null }): boolean {
  const [tall, setTall] = useState(false);
  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    const look = () => {
      const { videoWidth, videoHeight, clientWidth, clientHeight } = video;
      if (!videoWidth || !clientHeight) return;
      const ratio = videoWidth / videoHeight / (clientWidth / clientHeight);
      setTall(Math.max(ratio, 1 / ratio) > CROP_LIMIT);
    };
    const watcher = new ResizeObserver(look);
    watcher.observe(video);
    video.addEventListener("resize", look);
    return () => {
      watcher.disconnect();
      video.removeEventListener("resize", look);
    };
  }, [ref]);
  return tall;
}
