// The buttons under a call: microphone, camera, screen, devices, hang up.

import { h, setAttribute, setText, show } from "./dom.js";
import { icon, type IconName } from "./icons.js";

export interface ToolsState {
  ready: boolean;
  /** A video call: a camera that is off is worth a warning colour. */
  video: boolean;
  microphoneOn: boolean;
  cameraOn: boolean;
  screenOn: boolean;
  /** A call of several: hands can be raised. */
  hands: boolean;
  handUp: boolean;
  /** What may be published here. */
  may(source: "microphone" | "camera" | "screen"): boolean;
  hangUpWord: string;
}

export interface ToolsActions {
  microphone(): void;
  camera(): void;
  screen(): void;
  hand(): void;
  settings(): void;
  help(): void;
  hangUp(): void;
}

interface Tool {
  button: HTMLButtonElement;
  set(name: IconName, word: string, title?: string): void;
}

export class Tools {
  readonly element: HTMLElement;
  private readonly microphone: Tool;
  private readonly camera: Tool;
  private readonly screen: Tool;
  private readonly hand: Tool;
  private readonly end: Tool;
  private readonly canShare = Boolean(navigator.mediaDevices && "getDisplayMedia" in navigator.mediaDevices);

  constructor(actions: ToolsActions) {
    this.microphone = tool("mic", "M", "m", actions.microphone);
    this.camera = tool("camera", "V", "v", actions.camera);
    this.screen = tool("screen", "S", "s", actions.screen);
    this.hand = tool("raise", "H", "h", actions.hand);
    const settings = tool("devices", "", "", actions.settings);
    settings.set("sliders", "Devices");
    const help = tool("keyhelp", "?", "?", actions.help);
    help.set("keyboard", "Keys", "Keyboard shortcuts");
    this.end = tool("end", "Esc", "Escape", actions.hangUp);
    this.element = h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Call controls" },
      this.microphone.button, this.camera.button, this.screen.button, this.hand.button, settings.button, help.button, this.end.button,
    );
  }

  update(state: ToolsState): void {
    const { microphoneOn, cameraOn, screenOn } = state;
    this.microphone.set(microphoneOn ? "mic" : "micOff", microphoneOn ? "Mute" : "Unmute", microphoneOn ? "Mute microphone" : "Unmute microphone");
    this.camera.set(cameraOn ? "camera" : "cameraOff", "Camera", cameraOn ? "Turn camera off" : "Turn camera on");
    this.screen.set(screenOn ? "screenOff" : "screen", screenOn ? "Stop" : "Share", screenOn ? "Stop sharing the screen" : "Share your screen");
    this.hand.set("hand", state.handUp ? "Lower" : "Hand", state.handUp ? "Lower your hand" : "Raise your hand");
    setAttribute(this.hand.button, "data-on", state.handUp ? "true" : false);
    show(this.hand.button, state.hands);
    show(this.microphone.button, state.may("microphone"));
    show(this.camera.button, state.may("camera"));
    show(this.screen.button, this.canShare && state.may("screen"));
    this.end.set("hangup", state.hangUpWord);
    setAttribute(this.microphone.button, "data-off", state.ready && !microphoneOn ? "true" : false);
    setAttribute(this.camera.button, "data-off", state.ready && state.video && !cameraOn ? "true" : false);
    setAttribute(this.screen.button, "data-on", screenOn ? "true" : false);
    for (const { button } of [this.microphone, this.camera, this.screen, this.hand]) button.disabled = !state.ready;
  }
}

function tool(kind: string, key: string, shortcut: string, action: () => void): Tool {
  const label = h("span", { class: "word" });
  const mark = h("span", { class: "label" }, label, key !== "" && h("kbd", { "aria-hidden": "true" }, key));
  const button = h(
    "button",
    { class: `tool ${kind}`, type: "button", "aria-keyshortcuts": shortcut || false, on: { click: action } },
    mark,
  );
  let shown: IconName | undefined;
  return {
    button,
    set(name, word, title = word) {
      if (shown !== name) {
        button.querySelector("svg")?.remove();
        button.prepend(icon(name));
        shown = name;
      }
      setText(label, word);
      setAttribute(button, "aria-label", title);
      setAttribute(button, "title", key ? `${title} (${key})` : title);
    },
  };
}
