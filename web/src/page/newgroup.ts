// Creating a group on a development server: a name and who is in it.

import type { User } from "../sdk/index.js";
import { createGroup } from "./api.js";
import { h, show } from "./dom.js";
import { openSheet } from "./layers.js";
import { errorWords } from "../look/words.js";

/** Opens the dialog; created runs when the group exists. */
export function openNewGroup(token: string, others: User[], me: User, created: () => void): void {
  const name = h("input", { class: "input", id: "group-name", type: "text", maxlength: 60, required: true, autocomplete: "off", placeholder: "Book club" });
  const boxes = others.map((user) => h("input", { type: "checkbox", value: user.uid, id: `member-${user.uid}` }));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const save = h("button", { class: "button primary", type: "submit" }, "Create group");

  const submit = async (event: Event) => {
    event.preventDefault();
    const title = name.value.trim();
    const members = boxes.filter((box) => box.checked).map((box) => box.value);
    const missing = !title ? "Give the group a name." : members.length === 0 ? "Choose at least one person." : "";
    if (missing) return fail(missing);
    save.setAttribute("aria-busy", "true");
    try {
      await createGroup(token, groupId(title), title, [me.uid, ...members]);
      sheet.close();
      created();
    } catch (error) {
      fail(errorWords(error));
    } finally {
      save.removeAttribute("aria-busy");
    }
  };
  const fail = (text: string) => {
    problem.textContent = text;
    show(problem, true);
  };

  const sheet = openSheet("New group", [
    h(
      "form",
      { novalidate: true, on: { submit } },
      h("div", { class: "field" }, h("label", { for: "group-name" }, "Name"), name),
      h(
        "fieldset",
        { class: "field plain" },
        h("legend", { class: "legend" }, "Members"),
        others.length === 0
          ? h("p", { class: "hint" }, "Nobody else has signed in yet.")
          : h("div", { class: "pick" }, ...others.map((user, at) => h("label", { class: "check", for: `member-${user.uid}` }, boxes[at], h("span", {}, user.name || user.uid)))),
      ),
      problem,
      h("div", { class: "foot" }, save),
    ),
  ]);
  name.focus();
}

/** An id for a new group: readable, and not anybody else's. */
function groupId(title: string): string {
  const word = title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40);
  const tail = [...crypto.getRandomValues(new Uint8Array(3))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${word || "group"}-${tail}`;
}
