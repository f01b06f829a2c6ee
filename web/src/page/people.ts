// The dialog of who is in a call: raised hands first, and what a moderator may do to each.

import type { LocalParticipant, RemoteParticipant, Session } from "../sdk/index.js";
import { errorWords } from "../look/words.js";
import { avatar } from "./avatar.js";
import { h, show } from "./dom.js";
import { icon } from "./icons.js";
import { openSheet, toast } from "./layers.js";

type Person = RemoteParticipant | LocalParticipant;

/** Opens the dialog, with endForAll for moderators; it follows the call until it is closed, or the call is over. */
export function openPeople(session: Session, endForAll: () => void): void {
  if (document.querySelector("dialog[open]")) return;
  const rows = h("ul", { class: "rows", role: "list", "aria-label": "People in this call" });
  /** Who is about to be removed: it takes a second click. */
  let doomed = "";
  let drawn = "";

  const act = (action: Promise<void>) => void action.catch((error: unknown) => toast(errorWords(error)));
  const button = (label: string, word: string, action: () => void) =>
    h("button", { class: `button small${word === "Really?" ? " danger" : ""}`, type: "button", "aria-label": label, on: { click: action } }, word);

  const remove = (id: string) => {
    if (doomed === id) {
      act(session.expel(id));
      doomed = "";
    } else doomed = id;
    draw();
    rows.querySelector<HTMLElement>(`[data-id="${id}"] [aria-label^="Really"]`)?.focus();
  };

  const row = (person: Person) => {
    const mine = person === session.local;
    const { participantId: id, user } = person;
    const name = user.name || user.uid;
    const notes = [mine && "you", person.raisedAt !== undefined && "hand raised", !person.microphoneOn && "muted"].filter(Boolean).join(", ");
    const may = session.rights.moderate && !mine;
    return h(
      "li",
      { class: "row person", "data-id": id, "data-user": user.uid },
      avatar({ id: user.uid, name, avatar: user.avatar }),
      h("span", { class: "row-text" }, h("span", { class: "row-name" }, name), notes !== "" && h("span", { class: "row-note" }, person.raisedAt !== undefined && icon("hand"), notes)),
      h(
        "span",
        { class: "actions" },
        (may || mine) && person.raisedAt !== undefined && button(`Lower the hand of ${name}`, "Lower hand", () => act(session.lowerHand(mine ? undefined : id))),
        may && person.microphoneOn && button(`Mute ${name}`, "Mute", () => act(session.muteParticipant(id))),
        may && button(doomed === id ? `Really remove ${name} from this call for good` : `Remove ${name} from this call`, doomed === id ? "Really?" : "Remove", () => remove(id)),
      ),
    );
  };

  const draw = () => {
    const hands = session.hands;
    const people = [...hands, ...[session.local, ...session.participants].filter((person) => !hands.includes(person))];
    const state = JSON.stringify([doomed, people.map((p) => [p.participantId, p.raisedAt, p.microphoneOn, p.user.name])]);
    if (state === drawn) return; // rows are made again only when something changed, so that focus stays where it is
    drawn = state;
    rows.replaceChildren(...people.map(row));
  };

  const events = ["participantJoined", "participantLeft", "participantUpdated", "localChanged", "handChanged"] as const;
  const undo = events.map((event) => session.on(event, draw));
  const end = h("div", { class: "foot" }, h("button", { class: "button danger", type: "button", on: { click: endForAll } }, "End for all"));
  show(end, session.rights.moderate);
  const sheet = openSheet("People", [rows, end], () => undo.forEach((off) => off()));
  undo.push(session.on("closed", () => sheet.close()));
  sheet.element.classList.add("broad");
  draw();
}
