import { LAYOUT } from "./constants.js";

/** What a builder collects: option name, without its set/enable, to value. */
export type Options = Record<string, unknown>;

/**
 * Takes every option that CometChat's builders have, or will have: an option that this SDK has no use for is kept and does
 * nothing, so that code written for CometChat's own screens runs.
 */
export class OptionsBuilder {
  protected options: Options = {};
  // Any method: setX(value), enableX(on), showX(on), hideX(on), startWithX(on), …
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [option: string]: any;

  constructor() {
    return new Proxy(this, {
      get(target, name, self: unknown) {
        if (typeof name !== "string" || name in target || name === "then") return Reflect.get(target, name, self);
        return (...values: unknown[]) => {
          target.options[optionName(name)] = values.length === 0 ? true : values[0];
          return self;
        };
      },
    });
  }

  /** The settings that were collected. */
  build(): Options {
    return { ...this.options };
  }
}

/** `setSessionID` → `sessionid`: the spelling of capitals differs between CometChat's versions. */
export function optionName(method: string): string {
  return method.replace(/^set(?=[A-Z])/, "").toLowerCase();
}

/** Settings of the app: its server. Everything else is for CometChat's own cloud. */
export class AppSettingsBuilder extends OptionsBuilder {}
/** Settings of the older Calls SDK. */
export class CallAppSettingsBuilder extends OptionsBuilder {}
/** Settings of a session in the newer Calls SDK. */
export class SessionSettingsBuilder extends OptionsBuilder {}
/** Settings of a session in the older SDKs. */
export class CallSettingsBuilder extends OptionsBuilder {}

/** The server that the settings name, if they do. */
export function serverOf(settings: Options | undefined): string | undefined {
  const options = normal(settings);
  for (const name of ["host", "overrideclienthost", "clienthost", "overrideadminhost", "adminhost"]) {
    if (typeof options[name] === "string" && options[name]) return options[name];
  }
  return undefined;
}

/** What the settings of a session mean to us. */
export interface SessionChoices {
  sessionId?: string;
  audioOnly?: boolean;
  startAudioMuted: boolean;
  startVideoPaused: boolean;
  devices: { microphoneId?: string; cameraId?: string; speakerId?: string };
  listener?: Record<string, unknown>;
  /** Which buttons the grid has. */
  controls: { bar: boolean; leave: boolean; audio: boolean; video: boolean; screen: boolean; hand: boolean };
  /** TILE, SIDEBAR or SPOTLIGHT. */
  layout: string;
}

/** Reads settings of any generation: built, plain objects, or a builder that was not built. */
export function choicesOf(settings: Options | undefined): SessionChoices {
  const o = normal(settings);
  const text = (...names: string[]) => names.map((n) => o[n]).find((v): v is string => typeof v === "string" && v !== "");
  const flag = (fallback: boolean, ...names: string[]) => {
    const value = names.map((n) => o[n]).find((v) => v !== undefined);
    return value === undefined ? fallback : Boolean(value);
  };
  const shown = (hide: string, show: string) => !flag(!flag(true, show), hide);
  const type = text("type", "sessiontype")?.toUpperCase();
  return {
    sessionId: text("sessionid"),
    audioOnly: type ? type !== "VIDEO" : o["isaudioonlycall"] === undefined ? undefined : Boolean(o["isaudioonlycall"]),
    startAudioMuted: flag(false, "startaudiomuted", "startwithaudiomuted"),
    startVideoPaused: flag(false, "startvideopaused", "startwithvideomuted"),
    devices: {
      microphoneId: text("audioinputdeviceid"),
      cameraId: text("videoinputdeviceid"),
      speakerId: text("audiooutputdeviceid"),
    },
    listener: (o["calllistener"] ?? o["calleventlistener"]) as Record<string, unknown> | undefined,
    controls: {
      bar: flag(true, "enabledefaultlayout") && !flag(false, "hidecontrolpanel"),
      leave: shown("hideleavesessionbutton", "showendcallbutton"),
      audio: shown("hidetoggleaudiobutton", "showmuteaudiobutton"),
      video: shown("hidetogglevideobutton", "showpausevideobutton"),
      screen: shown("hidescreensharingbutton", "showscreensharebutton"),
      hand: !flag(false, "hideraisehandbutton"),
    },
    layout: layoutOf(text("layout", "mode")),
  };
}

/** The layout of any generation's name; what is not known is a grid. */
export function layoutOf(name = ""): string {
  const old: Record<string, string> = { DEFAULT: LAYOUT.SIDEBAR, SINGLE: LAYOUT.SPOTLIGHT };
  const upper = name.toUpperCase();
  return old[upper] ?? (Object.values<string>(LAYOUT).includes(upper) ? upper : LAYOUT.TILE);
}

function normal(settings: Options | undefined): Options {
  const built = settings instanceof OptionsBuilder ? settings.build() : (settings ?? {});
  return Object.fromEntries(Object.entries(built).map(([name, value]) => [optionName(name), value]));
}
