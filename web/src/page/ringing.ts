// The incoming call: who calls, and the ways to answer.

import type { Call, User } from "../sdk/index.js";
import { announceNow } from "./announce.js";
import { avatar } from "./avatar.js";
import { byId, h } from "./dom.js";
import { peerOf } from "./history.js";
import { icon, type IconName } from "./icons.js";
import { useKeys } from "./shortcuts.js";

export interface RingingActions {
  accept(call: Call, camera: boolean): void;
  decline(call: Call): void;
}

/** Shows one ringing call until the returned function is called. busy: another call is open, so this one stays in a corner. */
export function showRinging(call: Call, me: User, busy: boolean, actions: RingingActions): () => void {
  const caller = call.initiator.name || call.initiator.uid;
  const peer = peerOf(call, me.uid);
  const what = `${call.type === "video" ? "Video" : "Audio"} call${peer.group ? ` in ${peer.name}` : ""}`;
  const accept = (camera: boolean) => actions.accept(call, camera);
  const decline = () => actions.decline(call);

  const video = call.type === "video";
  const choices = [
    choice("no", "hangup", "Decline", "D", decline),
    video && !busy && choice("plain", "phone", "Audio only", "", () => accept(false)),
    choice("yes", video ? "camera" : "phone", "Accept", "A", () => accept(video)),
  ];
  const title = h("h2", { id: "ringing-title", tabindex: "-1" }, caller);
  const element = h(
    "dialog",
    {
      class: `sheet${busy ? " corner" : ""}`,
      role: "alertdialog",
      "aria-labelledby": "ringing-title",
      "aria-describedby": "ringing-what",
      "data-keys": true,
      on: {
        cancel: (event: Event) => {
          event.preventDefault();
          decline();
        },
      },
    },
    h(
      "div",
      { class: "ringing" },
      h("p", { class: "hint", id: "ringing-what" }, `${what} from`),
      avatar({ id: call.initiator.uid, name: caller, avatar: call.initiator.avatar }, busy ? "medium" : "large"),
      title,
      busy && h("p", { class: "hint" }, "Accepting ends the call you are in."),
      h("div", { class: "choices" }, ...choices),
    ),
  );
  byId("layers").append(element);
  if (busy) element.show();
  else element.showModal();
  // Focus on the name, not on a button: whoever is typing when it rings must not answer by accident.
  title.focus();
  announceNow(`${what} from ${caller}`);
  const release = useKeys({ a: () => accept(video), d: decline, Escape: decline });
  return () => {
    release();
    element.close();
    element.remove();
  };
}

function choice(kind: string, name: IconName, word: string, key: string, action: () => void): HTMLButtonElement {
  return h(
    "button",
    { class: `choice ${kind}`, type: "button", "aria-keyshortcuts": key.toLowerCase() || false, on: { click: action } },
    h("span", { class: "disc" }, icon(name)),
    h("span", { class: "label" }, word, key !== "" && h("kbd", { "aria-hidden": "true" }, key)),
  );
}
