// Somebody at the call page, driven as a user would: by what is on the screen.
import assert from "node:assert/strict";
import { newContext } from "./browser.mjs";

let count = 0;

/** A uid that no other test uses; the server limits how often one user rings another. */
export const fresh = (name) => `${name}-${process.pid}-${++count}`;

/** Opens the call page in a context of its own and signs in. uid and token may be given; other options go to the context. */
export async function atPage(url, name, options = {}) {
  const { uid = fresh(name), token, ...rest } = options;
  const { context, problems } = await newContext(url, rest);
  const person = new Person(await context.newPage(), uid, problems);
  await person.open(url, token);
  return person;
}

export class Person {
  constructor(page, uid, problems) {
    Object.assign(this, { page, uid, problems });
  }

  async open(url, token) {
    await this.page.goto(url);
    await this.page.fill("#who", token ?? this.uid);
    await this.page.click("[type=submit]");
    await this.page.waitForSelector('.link-state[data-state="connected"]');
  }

  /** A second tab or device of the same user. */
  async otherDevice(url) {
    return atPage(url, "", { uid: this.uid });
  }

  async dial(who, type = "video") {
    await this.page.fill("#find", who.uid);
    if (type === "video") await this.page.press("#find", "Enter");
    else await this.page.click(".dial-row button:has-text('Audio')");
  }

  async call(who, type = "video") {
    await this.dial(who, type);
    await this.page.waitForSelector('.stage[data-phase="calling"]');
  }

  async rings(from) {
    const dialog = this.page.locator('dialog[role="alertdialog"]');
    await dialog.waitFor();
    if (from) assert.match(await dialog.innerText(), new RegExp(from.uid));
  }

  ringsNoMore() {
    return this.page.locator('dialog[role="alertdialog"]').waitFor({ state: "detached" });
  }

  async accept() {
    await this.page.click("dialog .choice.yes");
    await this.talking();
  }

  async decline() {
    await this.page.click("dialog .choice.no");
  }

  talking() {
    return this.page.waitForSelector('.stage[data-phase="talking"]');
  }

  async hangUp() {
    await this.page.click(".tool.end");
    await this.home();
  }

  home() {
    return this.page.waitForSelector(".home");
  }

  /** The home screen with a notice of this text. */
  async told(text, ms = 15_000) {
    await this.home();
    await this.page.locator(".notice-text", { hasText: text }).first().waitFor({ timeout: ms });
  }

  /** Selector of the picture of somebody in the call. */
  pictureOf(who) {
    return `.tile[data-user="${who.uid}"] video`;
  }

  async close() {
    assert.deepEqual(this.problems, [], `${this.uid}'s page complained`);
    await this.page.context().close();
  }
}

/** Rings and accepts: both talk when it resolves. */
export async function connect(caller, callee, type = "video") {
  await caller.call(callee, type);
  await callee.rings(caller);
  await callee.accept();
  await caller.talking();
}
