// An empty page on the server's origin, for tests that use the SDKs as an application would.
import assert from "node:assert/strict";
import { newContext } from "./browser.mjs";
import { fresh } from "./person.mjs";
import { through } from "./through.mjs";

/**
 * Opens an empty page, as an application of somebody else's would have it: without the call page's own policy. media, if it is
 * given, is the address that all its media goes through; owner is another browser than that of the run.
 */
export async function blankPage(url, media, owner) {
  const { context, problems } = await newContext(url, { bypassCSP: true }, owner);
  await context.addInitScript(through, media);
  const page = await context.newPage();
  await page.goto(`${url}/healthz`);
  await page.evaluate(() => {
    document.body.innerHTML = "<div id=view></div>";
    Object.assign(document.getElementById("view").style, { width: "640px", height: "480px" });
  });
  return { context, page, problems };
}

/** Runs in a page: signs in through the SDK, as atSDK promises. */
export async function signIn(uid) {
  const { Parley } = await import("/sdk/parley.js");
  const { authKey } = await (await fetch("/v1/config")).json();
  const login = await fetch("/v1/auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ uid, authKey }) });
  const { token } = await login.json();
  window.client = new Parley({ token });
  window.heard = [];
  for (const name of ["incoming", "accepted", "rejected", "cancelled", "unanswered", "ended"]) client.calls.on(name, ({ call }) => heard.push([name, call]));
  await client.connect();
}

/** A signed-in client of the SDK: window.client; what happens to its calls is in window.heard. origin may be a proxy's, and media a wire's. */
export async function atSDK(url, name, origin = url, media = undefined, owner = undefined) {
  const { context, page, problems } = await blankPage(origin, media, owner);
  const uid = fresh(name);
  await page.evaluate(signIn, uid);
  return {
    page,
    uid,
    async close() {
      assert.deepEqual(problems, [], `${uid}'s page complained`);
      await context.close();
    },
  };
}

/** Rings, accepts and joins through the SDK: window.session on both sides. options (a function's text) makes the join options. Pictures are where any page shows them: what is out of sight is not sent. */
export async function connectSDK(caller, callee, options = "() => ({})", type = "video") {
  const sessionId = await caller.page.evaluate(
    async ([uid, type]) => (await client.calls.initiate({ receiverId: uid, receiverType: "user", type })).sessionId,
    [callee.uid, type],
  );
  const join = `async ([id, options]) => {
    window.session = await client.join(id, eval(options)());
    window.sessionClosed = new Promise((done) => session.on("closed", done));
    window.play = () => session.participants.forEach((p) => { if (document.getElementById(p.participantId)) return;
      const video = Object.assign(document.createElement("video"), { id: p.participantId, width: 320 }); video.style = "position: fixed; top: 0; left: 0; z-index: 9"; document.body.append(video); session.attach(video, p.stream); });
    play(); session.on("participantJoined", play);
  }`;
  await callee.page.evaluate(async (id) => void (await client.calls.accept(id)), sessionId);
  await Promise.all([caller, callee].map((person) => person.page.evaluate(`(${join})(${JSON.stringify([sessionId, options])})`)));
  return sessionId;
}
