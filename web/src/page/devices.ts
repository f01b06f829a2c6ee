// The device dialog: which microphone, loudspeaker and camera, with a look and a level before the call.

import type { Session } from "../sdk/index.js";
import { h, show } from "./dom.js";
import { openSheet, toast } from "./layers.js";
import { preferences, setPreferences } from "./preferences.js";
import { errorWords } from "../look/words.js";

type Kind = "audioinput" | "audiooutput" | "videoinput";
const fields: { kind: Kind; label: string; key: "microphoneId" | "speakerId" | "cameraId" }[] = [
  { kind: "audioinput", label: "Microphone", key: "microphoneId" },
  { kind: "audiooutput", label: "Speaker", key: "speakerId" },
  { kind: "videoinput", label: "Camera", key: "cameraId" },
];

/** Opens the dialog. With a session the choice takes effect in the running call. */
export function openDevices(session: Session | undefined): void {
  if (document.querySelector("dialog[open]")) return;
  const selects = new Map<Kind, HTMLSelectElement>();
  const preview = session ? undefined : new Preview();
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const fail = (error: unknown) => {
    problem.textContent = errorWords(error);
    show(problem, true);
  };

  const choose = async (key: (typeof fields)[number]["key"], id: string) => {
    setPreferences({ devices: { ...preferences().devices, [key]: id || undefined } });
    show(problem, false);
    try {
      if (key === "speakerId") await session?.switchSpeaker(id);
      else if (session && key === "microphoneId") await session.switchMicrophone(id);
      else if (session) await session.switchCamera(id || undefined);
      else await preview?.start();
    } catch (error) {
      fail(error);
    }
  };

  const rows = fields.map(({ kind, label, key }) => {
    const id = `device-${kind}`;
    const select = h("select", { class: "input", id, on: { change: () => void choose(key, select.value) } });
    selects.set(kind, select);
    return h("div", { class: "field", hidden: kind === "audiooutput" && !("setSinkId" in HTMLMediaElement.prototype) }, h("label", { for: id }, label), select);
  });
  const keys = h("input", { type: "checkbox", id: "single-keys", on: { change: () => setPreferences({ shortcuts: keys.checked }) } });
  keys.checked = preferences().shortcuts;

  const refresh = () => void fill(selects).catch(fail);
  navigator.mediaDevices?.addEventListener("devicechange", refresh);
  openSheet(
    "Devices",
    [
      h(
        "div",
        { class: "sheet-body" },
        preview?.element,
        ...rows,
        problem,
        h("label", { class: "check", for: "single-keys" }, keys, h("span", {}, "Single-key shortcuts (M, V, S …)")),
      ),
    ],
    () => {
      navigator.mediaDevices?.removeEventListener("devicechange", refresh);
      preview?.stop();
    },
  );
  refresh();
  // Names of devices are shown only once the user has allowed one.
  preview?.start().then(refresh, fail);
}

async function fill(selects: Map<Kind, HTMLSelectElement>): Promise<void> {
  if (!navigator.mediaDevices) return toast("This browser offers no microphone or camera here. They need HTTPS or localhost.");
  const devices = await navigator.mediaDevices.enumerateDevices();
  for (const { kind, label, key } of fields) {
    const select = selects.get(kind)!;
    const found = devices.filter((device) => device.kind === kind && device.deviceId !== "" && device.deviceId !== "default");
    const options = found.map((device, at) => h("option", { value: device.deviceId }, device.label || `${label} ${at + 1}`));
    select.replaceChildren(h("option", { value: "" }, "The system's default"), ...options);
    const chosen = preferences().devices[key] ?? "";
    select.value = found.some((device) => device.deviceId === chosen) ? chosen : "";
  }
}

/** A picture of oneself and the level of one's microphone, outside a call. */
export class Preview {
  readonly element: HTMLElement;
  private readonly video = h("video", { class: "preview", autoplay: true, playsinline: true, "aria-label": "Your camera" });
  private readonly level = h("span", {});
  private readonly meter = h("div", { class: "meter", role: "img", "aria-label": "Microphone level" }, this.level);
  /** Counts starts: devices that open for an earlier one are closed again. */
  private turns = 0;
  private stream: MediaStream | undefined;
  private audio: AudioContext | undefined;
  private frame = 0;
  private stopped = false;

  constructor() {
    this.video.muted = true;
    this.element = h("div", { class: "sheet-body" }, this.video, this.meter);
  }

  async start(wants = { audio: true, video: true }): Promise<void> {
    this.release();
    this.video.classList.toggle("dark", !wants.video);
    show(this.meter, wants.audio);
    if (!navigator.mediaDevices || !(wants.audio || wants.video)) return;
    const turn = ++this.turns;
    const { microphoneId, cameraId } = preferences().devices;
    const wanted = (on: boolean, id?: string) => on && (id ? { deviceId: { ideal: id } } : true);
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: wanted(wants.audio, microphoneId), video: wanted(wants.video, cameraId) });
    } catch (error) {
      if (!wants.audio) throw error;
      // No camera, or only the camera is refused: the microphone alone is worth a look.
      stream = await navigator.mediaDevices.getUserMedia({ audio: wanted(true, microphoneId) });
    }
    if (this.stopped || turn !== this.turns) return stream.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    this.video.srcObject = stream;
    show(this.video, stream.getVideoTracks().length > 0 || !wants.video);
    if (stream.getAudioTracks().length > 0) this.measure(stream);
  }

  stop(): void {
    this.stopped = true;
    this.release();
  }

  private measure(stream: MediaStream): void {
    this.audio = new AudioContext();
    const analyser = this.audio.createAnalyser();
    this.audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const draw = () => {
      analyser.getFloatTimeDomainData(samples);
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      this.level.style.setProperty("--level", String(Math.min(1, Math.sqrt(peak))));
      this.frame = requestAnimationFrame(draw);
    };
    draw();
  }

  private release(): void {
    cancelAnimationFrame(this.frame);
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = undefined;
    this.video.srcObject = null;
    void this.audio?.close();
    this.audio = undefined;
  }
}
