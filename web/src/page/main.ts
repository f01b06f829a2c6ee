// The call page: sign in, then one desk for the rest of the visit.

import { Parley, readInvitation, type ParleyError } from "../sdk/index.js";
import { forget, remember, savedToken, subjectOf } from "./account.js";
import { getConfig, login, type ServerConfig } from "./api.js";
import { Desk } from "./desk.js";
import { byId, h } from "./dom.js";
import { invitationOf } from "./invite.js";
import { listenForKeys } from "./shortcuts.js";
import { setTitle } from "./title.js";
import { wishOf } from "./pushed.js";
import { signInScreen } from "./signin.js";
import { refreshStandby, standingBy } from "./standby.js";
import { Visit } from "./visit.js";
import { errorWords, goneWords } from "../look/words.js";

const root = byId("app");

async function boot(): Promise<void> {
  listenForKeys();
  let config: ServerConfig;
  try {
    config = await getConfig();
  } catch {
    return failed("The server cannot be reached.", () => location.reload());
  }
  const invitation = invitationOf(location.hash);
  // A link that is opened in a tab that has the page already changes the fragment only.
  window.addEventListener("hashchange", () => invitationOf(location.hash) && location.reload());
  if (invitation) return new Visit(root, config, { invitation }).open();
  const token = savedToken() ?? (await standbyToken(config));
  const uid = token && subjectOf(token);
  if (token && uid) await enter(config, token, uid);
  else signIn(config);
}

/** The token of whom this browser rings for, when a notification has opened the page; a new one if the server gives any. */
async function standbyToken(config: ServerConfig): Promise<string | undefined> {
  const who = wishOf(location.hash) && (await standingBy());
  if (!who) return undefined;
  return config.dev ? (await login(who.uid, config.authKey ?? "")).token : who.token;
}

function signIn(config: ServerConfig, message = ""): void {
  setTitle("Sign in");
  signInScreen(root, config, (token, uid) => void enter(config, token, uid), message);
}

async function enter(config: ServerConfig, token: string, uid: string): Promise<void> {
  if (readInvitation(token)) return new Visit(root, config, { token }).open(); // it is good for one meeting only
  let current = token;
  const client = new Parley({
    // Only a development server can be asked for another token; elsewhere the application's own page does that.
    token: async (reason) => {
      if (reason !== "connect" && config.dev) {
        current = (await login(uid, config.authKey ?? "")).token;
        remember(current, uid);
        void refreshStandby(uid, current);
      }
      return current;
    },
    client: { name: "parley-page", version: config.version },
  });
  setTitle("");
  root.replaceChildren(h("p", { class: "gate hint", role: "status" }, "Connecting…"));
  try {
    const me = await client.connect();
    remember(current, uid);
    const desk = new Desk(root, client, me, () => current, config, (message) => {
      desk.remove();
      client.disconnect();
      forget();
      signIn(config, message);
    });
    const summons = wishOf(location.hash);
    if (summons) {
      history.replaceState(null, "", location.pathname); // a reload is no second answer
      await desk.summon(summons.wish, summons.sessionId);
    }
  } catch (error) {
    client.disconnect();
    forget();
    const { reason } = (error as Partial<ParleyError>).details ?? {};
    signIn(config, typeof reason === "string" ? goneWords(reason) : errorWords(error));
  }
}

function failed(text: string, retry: () => void): void {
  root.replaceChildren(
    h("main", { class: "gate" }, h("div", { class: "gate-card" }, h("h1", {}, text), h("button", { class: "button primary", type: "button", on: { click: retry } }, "Try again"))),
  );
}

void boot();
