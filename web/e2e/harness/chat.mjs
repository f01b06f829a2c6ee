// A page that uses /sdk/cometchat.js.
import assert from "node:assert/strict";
import { blankPage } from "./blank.mjs";
import { fresh } from "./person.mjs";
import { until } from "./until.mjs";

/** Loads the SDK, signs in, and gives the page with what it has written to its console. */
export async function atChat(url, name) {
  const { context, page, problems } = await blankPage(url);
  const uid = fresh(name);
  const lines = [];
  page.on("console", async (message) => lines.push(message.text()));
  await page.addScriptTag({ url: "/sdk/cometchat.js" });
  await page.evaluate(async (uid) => {
    await CometChat.init("app", new CometChat.AppSettingsBuilder().setRegion("us").subscribePresenceForAllUsers().build());
    const { authKey } = await (await fetch("/v1/config")).json();
    const user = await CometChat.login(uid, authKey);
    if (user.getUid() !== uid) throw new Error(`signed in as ${user.getUid()}`);
  }, uid);
  return {
    page,
    uid,
    lines,
    /** Runs code as a script of the page, as a guide's reader would paste it. */
    run: (code) => page.addScriptTag({ content: code }),
    /** Waits for a line of the console. */
    logged: (text) => until(() => lines.some((line) => line.includes(text)), `“${text}” on ${uid}'s console, which has ${JSON.stringify(lines)}`),
    async close() {
      assert.deepEqual(problems, [], `${uid}'s page complained`);
      await context.close();
    },
  };
}
