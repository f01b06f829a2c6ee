// Mounts hooks over a session that counts who listens to it. Bundled into a page by hooks.mjs.
import { StrictMode, memo, useLayoutEffect, type ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { useQuality, useSession, type ParticipantReading } from "../../src/react/index.js";
import { Emitter, type Session } from "../../src/sdk/index.js";

class Counted extends Emitter<any> {
  listening = 0;
  state = "connected";
  speakerId = "";
  rights = {};
  local = person("me");
  participants = [person("bob"), person("carol")];

  override on(event: any, listener: any): () => void {
    this.listening++;
    const off = super.on(event, listener);
    let gone = false;
    return () => {
      if (!gone) this.listening--;
      gone = true;
      off();
    };
  }

  change(event: string): void {
    this.emit(event, undefined as never);
  }

  get session(): Session {
    return this as unknown as Session;
  }
}

function person(participantId: string): any {
  return { participantId, user: { uid: participantId }, stream: new MediaStream(), screen: new MediaStream(), speaking: false, pausedBecause: () => undefined };
}

function mount(children: ReactNode): { text(): string; unmount(): void } {
  const element = document.body.appendChild(document.createElement("div"));
  const root = createRoot(element);
  flushSync(() => root.render(<StrictMode>{children}</StrictMode>));
  return {
    text: () => element.textContent ?? "",
    unmount() {
      flushSync(() => root.unmount());
      element.remove();
    },
  };
}

function Names({ of }: { of: Counted }) {
  useQuality(of.session, "bob");
  return <p>{useSession(of.session)?.participants.map(({ participantId }) => participantId).join()}</p>;
}

/** Listeners while twenty are mounted in turn, the most at a time, and those left after them. */
function listeners(): { most: number; left: number } {
  const session = new Counted();
  let most = 0;
  for (let round = 0; round < 20; round++) {
    const { unmount } = mount(<Names of={session} />);
    most = Math.max(most, session.listening);
    unmount();
  }
  return { most, left: session.listening };
}

/** Somebody comes after the hook has rendered and before it listens. */
function between(): string {
  const session = new Counted();
  const Meanwhile = () => {
    useLayoutEffect(() => {
      if (session.participants.length === 2) session.participants = [...session.participants, person("dave")];
    }, []);
    return null;
  };
  const { text, unmount } = mount(<><Meanwhile /><Names of={session} /></>);
  const said = text();
  unmount();
  return said;
}

/** How often each tile renders anew when one person of three begins to speak. */
function renders(): Record<string, number> {
  const session = new Counted();
  const counts: Record<string, number> = {};
  const Tile = memo(function Tile({ who }: { who: ParticipantReading }) {
    counts[who.participantId] = (counts[who.participantId] ?? 0) + 1;
    return <i>{String(who.speaking)}</i>;
  });
  const All = () => {
    const now = useSession(session.session)!;
    return <>{[now.local, ...now.participants].map((who) => <Tile key={who.participantId} who={who} />)}</>;
  };
  const { unmount } = mount(<All />);
  for (const key of Object.keys(counts)) counts[key] = 0;
  flushSync(() => {
    session.participants[0].speaking = true;
    session.change("speakersChanged");
    session.change("qualityChanged"); // says nothing new
  });
  unmount();
  return counts;
}

Object.assign(window, { hooks: { listeners, between, renders } });
