// The React components without a server: scenes by name in the address, made by the same stand-in for the SDK as the call page's.
import { StrictMode, useEffect, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import type { Parley } from "../../src/sdk/index.js";
import { CallNotice, CallView, IncomingCall, ParleyProvider, PreJoin, useCall } from "../../src/react/index.js";
import "../../src/react/style.css";
import { Parley as Fake } from "./fake-sdk.js";

const fake = new Fake() as any;
fake.user = { uid: "alice", name: "Alice Moreau", avatar: "" };
const join = fake.join.bind(fake);
fake.join = async () => {
  const session = await join();
  const everything = ["microphone", "camera", "screen", "screenAudio"];
  Object.assign(session, { rights: { publish: everything, subscribe: true, moderate: scene.startsWith("moderate"), hidden: false }, speakerId: "", devices: {} });
  session.local.participantId = "p_alice";
  return session;
};

const scene = location.hash.slice(1);
const people: Record<string, [string, object][]> = {
  call: [["bob", { speaking: true, quality: { grade: "good" } }]],
  audio: [["bob", { camera: false }]],
  muted: [["bob", { muted: true, camera: false, quality: { grade: "fair" } }]],
  weak: [["bob", { quality: { grade: "bad" }, paused: { camera: "bandwidth" } }]],
  group3: [["bob", { speaking: true }], ["carol", { muted: true, camera: false }]],
  moderate3: [["bob", { quality: { grade: "poor" } }], ["carol", { muted: true, camera: false }], ["erin", {}]],
  screen: [["bob", { screen: true }], ["carol", { muted: true }], ["dave", { camera: false }]],
  reconnecting: [["bob", {}]],
  devices: [["bob", {}]],
  group9: ["bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan"].map((uid, at) => [uid, { muted: at % 3 === 1, camera: at % 4 !== 2, tall: at === 5 }]),
};

function Talk({ who }: { who: [string, any][] }) {
  const { place } = useCall();
  useEffect(() => {
    const group = who.length > 1;
    void place(group ? "book" : "bob", { receiverType: group ? "group" : "user", type: scene === "audio" ? "audio" : "video" }).then(() => {
      if (scene === "calling" || !fake.session || fake.session.participants.length > 0) return;
      fake.accepted();
      for (const [uid, options] of who) fake.session.person(uid, options);
      if (scene === "moderate3") fake.session.participants[1].raisedAt = fake.session.local.raisedAt = 1;
      if (scene === "muted") void fake.session.setMicrophone(false).then(() => fake.session.setCamera(false));
      if (scene === "reconnecting") fake.session.state = "reconnecting";
      fake.session.fire("stateChanged");
    });
  }, []);
  return <CallView sound={false} />;
}

function Ring({ over, busy = false }: { over?: object; busy?: boolean }) {
  useEffect(() => {
    // After the provider listens, which it does once everything below it is there.
    const timer = setTimeout(() => fake.ring(over));
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      {busy && <Talk who={people["call"]!} />}
      <IncomingCall sound={false} />
    </>
  );
}

function Ended() {
  const { place } = useCall();
  useEffect(() => void place("nobody"), []);
  return <CallNotice />;
}

const test = (light: string, other: Record<string, string>) => {
  (window as any).light = light;
  (window as any).checkup = ["signaling", "udp", "tcp", "turnUdp", "turnTcp", "turnTls", "bitrate"].map((name, at) => ({
    name, result: other[name] ?? "passed", timeMs: 20 + at * 31, reason: other[name] === "failed" ? "No connection within 8 s." : other[name] ? "This server does not offer it." : "",
    ...(name === "bitrate" ? { bitrate: 2_640_000 } : {}),
  }));
};

const scenes: Record<string, () => ReactNode> = {
  incoming: () => <Ring over={{ initiator: { uid: "bob", name: "Bob Okafor", avatar: "" } }} />,
  incomingGroup: () => <Ring over={{ type: "audio", receiverType: "group", receiver: { guid: "book", name: "Book club" } }} />,
  incomingBusy: () => <Ring busy over={{ initiator: { uid: "carol", name: "Carol Lindqvist", avatar: "" } }} />,
  calling: () => <Talk who={[["bob", {}]]} />,
  notice: () => <Ended />,
  prejoin: () => <PreJoin title="Bob Okafor is calling" joinLabel="Answer" onJoin={() => {}} onCancel={() => {}} />,
  prejoinOff: () => <PreJoin initial={{ startVideoPaused: true, startAudioMuted: true }} onJoin={() => {}} />,
  prejoinAudio: () => <PreJoin video={false} onJoin={() => {}} onCancel={() => {}} />,
  prejoinRefused: () => <PreJoin onJoin={() => {}} onCancel={() => {}} />,
  prejoinGreen: () => (test("green", { turnTls: "skipped" }), <PreJoin onJoin={() => {}} onCancel={() => {}} />),
  prejoinRed: () => (test("red", { udp: "failed", tcp: "failed", turnUdp: "failed", turnTcp: "failed", turnTls: "skipped", bitrate: "skipped" }), <PreJoin onJoin={() => {}} onCancel={() => {}} />),
};
for (const name of Object.keys(people)) scenes[name] = () => <Talk who={people[name]!} />;

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ParleyProvider client={fake as Parley}>
      <main>{scenes[scene]!()}</main>
    </ParleyProvider>
  </StrictMode>,
);
