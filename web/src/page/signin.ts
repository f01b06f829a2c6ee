// The sign-in screen: a name on a development server, a token everywhere else.

import { lastUid, subjectOf } from "./account.js";
import { login, RequestError, type ServerConfig } from "./api.js";
import { h, show } from "./dom.js";
import { icon } from "./icons.js";
import { unlockSound } from "../look/sounds.js";
import { errorWords } from "../look/words.js";

const uidPattern = /^[A-Za-z0-9._\-@:+]{1,128}$/;

/** Draws the sign-in into root; done gets the token and the uid it is for. */
export function signInScreen(
  root: HTMLElement,
  config: ServerConfig,
  done: (token: string, uid: string) => void,
  message = "",
): void {
  const problem = h("p", { class: "problem", role: "alert", hidden: !message }, icon("warning"), h("span", {}, message));
  const submit = h("button", { class: "button primary", type: "submit" }, config.dev ? "Sign in" : "Use this token");
  const input = config.dev ? nameInput() : tokenInput();

  const fail = (text: string) => {
    problem.lastElementChild!.textContent = text;
    show(problem, true);
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };

  const form = h(
    "form",
    {
      novalidate: true,
      on: {
        submit: async (event: SubmitEvent) => {
          event.preventDefault();
          unlockSound();
          show(problem, false);
          submit.setAttribute("aria-busy", "true");
          try {
            const found = config.dev ? await byName(input.value.trim(), config) : byToken(input.value.trim());
            done(found.token, found.uid);
          } catch (error) {
            fail(signInWords(error));
          } finally {
            submit.removeAttribute("aria-busy");
          }
        },
      },
    },
    h(
      "div",
      { class: "field" },
      h("label", { for: "who" }, config.dev ? "Your user id" : "Access token"),
      input,
      h("p", { class: "hint", id: "who-hint" }, config.dev
        ? "Any id will do on a development server. Open a second window and sign in as somebody else to call yourself."
        : "Your application gives you one. It stays in this tab only."),
    ),
    problem,
    submit,
  );
  root.replaceChildren(
    h(
      "main",
      { class: "gate" },
      h(
        "div",
        { class: "gate-card" },
        h("div", { class: "brand" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("span", {}, "Parley")),
        h("div", {}, h("h1", {}, "Sign in to call"), h("p", { class: "hint" }, "Audio and video calls on your own server.")),
        form,
      ),
    ),
  );
  input.focus();
}

function nameInput(): HTMLInputElement {
  return h("input", {
    id: "who", class: "input", name: "uid", type: "text", value: lastUid(), required: true, maxlength: 128,
    autocomplete: "username", autocapitalize: "none", spellcheck: "false", placeholder: "alice", "aria-describedby": "who-hint",
  });
}

function tokenInput(): HTMLTextAreaElement {
  return h("textarea", {
    id: "who", class: "input", name: "token", required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    "aria-describedby": "who-hint",
  });
}

async function byName(uid: string, config: ServerConfig): Promise<{ token: string; uid: string }> {
  if (!uidPattern.test(uid)) throw new Error("Use letters, digits and . _ - @ : + (no spaces).");
  const { token } = await login(uid, config.authKey ?? "");
  return { token, uid };
}

function byToken(token: string): { token: string; uid: string } {
  const uid = subjectOf(token);
  if (!uid) throw new Error("That is not a token. It has three parts with dots between them.");
  return { token, uid };
}

function signInWords(error: unknown): string {
  if (error instanceof RequestError && error.status === 401) return "The server refused this sign-in.";
  if (error instanceof TypeError) return "The server cannot be reached.";
  return errorWords(error);
}
