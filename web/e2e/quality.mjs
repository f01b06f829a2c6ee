// Real browsers for `parley-bench quality --browsers`, which starts this script, tells it what to do in lines of JSON and reads
// one line back for each: {"id":1,"do":"open",…} → {"id":1,"result":…} or {"id":1,"error":"…"}. It ends with its input.
import { createInterface } from "node:readline";
import { closeBrowser, newContext } from "./harness/browser.mjs";
import { signIn } from "./harness/blank.mjs";
import { closeFirefox, firefoxPage } from "./harness/firefox.mjs";
import { fresh } from "./harness/person.mjs";
import { through } from "./harness/through.mjs";
import { until } from "./harness/until.mjs";

const people = new Map();
const at = (name) => people.get(name).page;

/** What a person's page has of the others, in totals since it began: sound, and when frames were shown (milliseconds); and what it takes its uplink for now (bit/s). */
async function totals() {
  const sound = { concealed: 0, samples: 0 };
  const video = { freezes: 0, frozen: 0, decoded: 0 };
  const sent = { available: 0, target: 0 };
  for (const connection of window.e2e.connections) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "candidate-pair" && report.nominated) sent.available = Math.max(sent.available, report.availableOutgoingBitrate ?? 0);
      if (report.type === "outbound-rtp") sent.target += report.targetBitrate ?? 0;
      if (report.type !== "inbound-rtp") continue;
      if (report.kind === "audio") {
        sound.concealed += report.concealedSamples ?? 0;
        sound.samples += report.totalSamplesReceived ?? 0;
      } else {
        video.freezes += report.freezeCount ?? 0;
        video.frozen += report.totalFreezesDuration ?? 0;
        video.decoded += report.framesDecoded ?? 0;
      }
    }
  }
  return { ...sound, ...video, ...sent, at: performance.timeOrigin + performance.now(), frames: window.shown, heard: window.told };
}

/** Shows everybody and notes when each frame is on the screen, and what an application hears of others. */
function watch() {
  window.shown = [];
  window.told = [];
  const now = () => performance.timeOrigin + performance.now();
  const play = () => {
    for (const { participantId, stream } of window.session.participants) {
      if (document.getElementById(participantId)) continue;
      const video = Object.assign(document.createElement("video"), { id: participantId, width: 640, height: 360, muted: true });
      const next = () => video.requestVideoFrameCallback(() => (window.shown.push(now()), next()));
      next();
      document.body.append(video);
      window.session.attach(video, stream);
    }
  };
  play();
  window.session.on("participantJoined", ({ participantId }) => (window.told.push(`joined ${participantId}`), play()));
  for (const name of ["participantLeft", "closed"]) window.session.on(name, () => window.told.push(name));
}

const commands = {
  /** Opens an empty page in a browser, behind a way to the media, and signs in. */
  async open({ name, browser, origin, media }) {
    const uid = fresh(name);
    const page = browser === "firefox" ? await firefoxPage([through, media]) : await chromiumPage(origin, media);
    await page.goto(`${origin}/healthz`);
    await page.evaluate(signIn, uid);
    people.set(name, { page, uid });
  },
  /** One rings another. */
  async ring({ from, to }) {
    const { uid } = people.get(to);
    return at(from).evaluate(async (uid) => (await client.calls.initiate({ receiverId: uid, receiverType: "user", type: "video" })).sessionId, uid);
  },
  /** Joins, after accepting, and resolves when the session is there. It gives the moment before. */
  async join({ name, session, accept }) {
    const page = at(name);
    if (accept) await until(() => page.evaluate((id) => heard.some(([what, call]) => what === "incoming" && call.sessionId === id), session), `${name} hears it ring`);
    const began = await page.evaluate(async ([id, accept]) => {
      const began = performance.timeOrigin + performance.now();
      if (accept) await client.calls.accept(id);
      window.session = await client.join(id, { simulcast: true });
      return began;
    }, [session, accept]);
    await page.evaluate(watch);
    return began;
  },
  /** Waits for so many frames on somebody's screen, and gives the moment of the first. */
  async first({ name, frames }) {
    return until(() => at(name).evaluate((n) => window.shown.length >= n && window.shown[0], frames), `${name} sees ${frames} frames`, 30_000);
  },
  totals: ({ name }) => at(name).evaluate(totals),
  async hangUp({ name, session }) {
    await at(name).evaluate((id) => client.calls.end(id), session);
  },
  async close({ name }) {
    const { page } = people.get(name);
    people.delete(name);
    await page.context().close();
  },
};

async function chromiumPage(origin, media) {
  const { context } = await newContext(origin, { bypassCSP: true });
  await context.addInitScript(through, media);
  return context.newPage();
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: what, ...how } = JSON.parse(line);
  try {
    const result = (await commands[what](how)) ?? null;
    process.stdout.write(`${JSON.stringify({ id, result })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ id, error: `${what} ${how.name ?? ""}: ${error.message}` })}\n`);
  }
}
await Promise.all([closeBrowser(), closeFirefox()]);
