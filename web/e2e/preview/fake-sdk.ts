// Stands in for the SDK when the page is looked at without a server: people are drawn on canvases, and window.preview
// plays what a server and other people would do. It implements the part of the public API that the page uses.

import { Emitter } from "../../src/sdk/emitter.js";
import { ParleyError, codeOf } from "../../src/sdk/errors.js";

export { Emitter, ParleyError, codeOf };
export { readInvitation } from "../../src/sdk/invitations.js";

export async function redeemInvitation({ name }: any) {
  return { token: "t", user: { ...me(), name }, session: "meeting-3f9a2c", expiresAt: Date.now() + 1e6 };
}

const names: Record<string, string> = { bob: "Bob Okafor", carol: "Carol Lindqvist", dave: "Dave", erin: "Erin Sato", frank: "Frank", grace: "Grace Hall", heidi: "Heidi", ivan: "Ivan Petrov" };
const user = (uid: string) => ({ uid, name: names[uid] ?? uid, avatar: "" });
const me = () => user("alice");

function picture(hue: number, width = 640, height = 480, text = ""): MediaStream {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  let step = 0;
  const draw = () => {
    context.fillStyle = `hsl(${hue} 30% 30%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = text ? "#fff" : `hsl(${hue} 40% 70%)`;
    if (text) {
      context.font = "32px sans-serif";
      for (let line = 0; line < 14; line++) context.fillText(`${text} ${line + 1}`, 60, 70 + line * 46);
    } else {
      context.beginPath();
      context.arc(width / 2 + Math.sin(step / 10) * 8, height * 0.42, height * 0.17, 0, 7);
      context.ellipse(width / 2, height, width * 0.27, height * 0.36, 0, 0, 7);
      context.fill();
    }
    step++;
  };
  draw();
  setInterval(draw, 100);
  return canvas.captureStream(10);
}

class FakeSession extends Emitter<any> {
  state = "connected";
  participants: any[] = [];
  local: any;
  sessionId = "s1";
  rights: any = { publish: ["microphone", "camera", "screen", "screenAudio"], subscribe: true, moderate: false, hidden: false };
  constructor(readonly call: any) {
    super();
    const video = call.type === "video";
    this.local = { user: me(), participantId: "p_alice", raisedAt: undefined, quality: { score: 85, grade: "excellent", cause: "none" }, speaking: false, microphoneOn: true, cameraOn: video, screenOn: false, errors: new Map(), stream: video ? picture(170) : new MediaStream(), screen: new MediaStream() };
  }
  fire(event: string, payload: unknown = {}) {
    this.emit(event, payload as never);
  }
  person(uid: string, options: any = {}) {
    const camera = options.camera ?? this.call.type === "video";
    const participant = {
      participantId: `p_${uid}`, user: user(uid), raisedAt: options.hand, microphoneOn: !options.muted, cameraOn: camera, screenOn: Boolean(options.screen), publications: [{}],
      quality: options.quality && { score: 50, cause: "loss", ...options.quality }, speaking: Boolean(options.speaking), pausedBecause: (source: string) => options.paused?.[source],
      stream: camera ? picture([...uid].reduce((sum, letter) => sum + letter.charCodeAt(0) * 7, 0) % 360, options.tall ? 360 : 640, options.tall ? 640 : 480) : new MediaStream(),
      screen: options.screen ? picture(220, 1280, 720, "const answer = ask(question); // line") : new MediaStream(),
    };
    this.participants = [...this.participants.filter((other) => other.participantId !== participant.participantId), participant];
    this.fire("participantJoined", { participant });
    return participant;
  }
  speaking = new Set<string>();
  get hands() { return [...this.participants, this.local].filter((p) => p.raisedAt).sort((a, b) => a.raisedAt - b.raisedAt); }
  async raiseHand() { this.local.raisedAt = Date.now(); this.fire("handChanged", { participant: this.local, raised: true }); }
  async lowerHand() { this.local.raisedAt = undefined; this.fire("handChanged", { participant: this.local, raised: false }); }
  async muteParticipant() {}
  async expel() {}
  async getStats() {
    const energy = performance.now();
    return { sent: [], received: this.participants.map((p) => ({ kind: "audio", participantId: p.participantId, source: "microphone", audioEnergy: this.speaking.has(p.user.uid) ? energy : 0 })) };
  }
  async setMicrophone(on: boolean) { this.local.microphoneOn = on; this.fire("localChanged", { source: "microphone", on }); }
  async setCamera(on: boolean) { this.local.cameraOn = on; this.fire("localChanged", { source: "camera", on }); }
  async shareScreen() { this.local.screenOn = true; this.fire("localChanged", { source: "screen", on: true }); }
  async stopScreenShare() { this.local.screenOn = false; this.fire("localChanged", { source: "screen", on: false }); }
  attach(element: HTMLMediaElement, stream: MediaStream) {
    element.srcObject = stream;
    element.play().catch(() => {}); // React's StrictMode attaches twice, and the second interrupts the first
    return () => void (element.srcObject = null);
  }
  async switchSpeaker() {}
  async switchMicrophone() {}
  async switchCamera() {}
  async leave() { this.state = "closed"; }
}

class FakeCalls extends Emitter<any> {
  fire(event: string, payload: unknown) { this.emit(event, payload as never); }
  current: any;
  make(over: any) {
    return { sessionId: `s${Math.random()}`, type: "video", receiverType: "user", status: "initiated", reason: "", initiator: me(), receiver: user("bob"), initiatedAt: Date.now(), members: [], ...over };
  }
  async initiate(options: any) {
    if (options.receiverId === "nobody") throw new ParleyError("ERR_UID_NOT_FOUND", "");
    const receiver = options.receiverType === "group" ? { guid: options.receiverId, name: "Book club" } : user(options.receiverId);
    return (this.current = this.make({ ...options, receiver }));
  }
  async accept() { return { ...this.current, status: "ongoing", startedAt: Date.now() }; }
  async reject() {}
  async cancel() {}
  async end() {}
  async get() { return this.current; }
  async active() { return []; }
  async history({ status }: any) { return { calls: ((window as any).past ?? []).filter((call: any) => !status || call.missed), next: "more" }; }
}

export class Parley extends Emitter<any> {
  calls = new FakeCalls();
  blocks = { list: async () => [user("dave")], block: async () => {}, unblock: async () => {} };
  state = "connected";
  session: FakeSession | undefined;
  constructor() {
    super();
    (window as any).preview = this;
  }
  async connect() { return me(); }
  disconnect() {}
  async enter(session: string) {
    this.calls.current = this.calls.make({ receiverType: "session", receiver: { session, name: session }, status: "ongoing", startedAt: Date.now() - 83_000 });
    this.session = new FakeSession(this.calls.current);
    Object.assign(this.session.rights, (window as any).rights);
    return this.session;
  }
  async join() { return (this.session = new FakeSession(this.calls.current)); }
  async connectionTest({ progress }: any) {
    const results = (window as any).checkup ?? [];
    for (const result of results) progress(result);
    if (results.length < 7) await new Promise(() => {});
    return { light: (window as any).light, results };
  }
  link(state: string) { this.state = state; this.emit("stateChanged", { state, previous: "" } as never); }
  ring(over: any = {}) { this.calls.current = this.calls.make({ initiator: user("bob"), receiver: me(), ...over }); this.calls.fire("incoming", { call: this.calls.current, by: user("bob") }); }
  accepted() { this.calls.fire("accepted", { call: { ...this.calls.current, status: "ongoing", startedAt: Date.now() - 83_000 } }); }
  over(event: string, call: any) { this.calls.fire(event, { call: { ...this.calls.current, ...call } }); }
}
