// What a person really sees and hears: decoded frames, pictures and sound energy on the receiving side.
import assert from "node:assert/strict";
import { until } from "./until.mjs";

/** Frames a stream must decode anew, and energy it must gain, to count as flowing. */
const frames = 8;
const energy = 1e-6;

const inbound = (page) => page.evaluate(() => window.e2e.inbound());

/** Waits until at least this many streams of each kind arrive and are decoded, counted from now. */
export async function receives(page, { video = 0, audio = 0 }, ms = 20_000) {
  const before = new Map((await inbound(page)).map((stream) => [stream.id, stream]));
  const flowing = async (kind, field, enough) =>
    (await inbound(page)).filter((stream) => stream.kind === kind && stream[field] - (before.get(stream.id)?.[field] ?? 0) >= enough).length;
  await until(async () => (await flowing("video", "framesDecoded", frames)) >= video, `${video} video streams are decoded`, ms);
  await until(async () => (await flowing("audio", "totalAudioEnergy", energy)) >= audio, `${audio} audio streams sound`, ms);
}

/** Watches for ms milliseconds; gives the growth of one number per stream. */
export async function growth(page, kind, field, ms) {
  const before = await inbound(page);
  await new Promise((done) => setTimeout(done, ms));
  const after = await inbound(page);
  return after
    .filter((stream) => stream.kind === kind)
    .map((stream) => stream[field] - (before.find((other) => other.id === stream.id)?.[field] ?? 0));
}

/** Fails unless nothing of a kind is decoded (video) or heard (audio) from now on, for a second. */
export async function silent(page, kind) {
  const field = kind === "video" ? "framesDecoded" : "totalAudioEnergy";
  const limit = kind === "video" ? 2 : energy;
  await until(
    async () => (await growth(page, kind, field, 1000)).every((grown) => grown <= limit),
    `no ${kind} arrives`,
    8_000,
  );
}

/** Waits for a moving picture in a video element; gives the last one. */
export async function moving(page, selector, ms = 15_000) {
  const first = await until(() => page.evaluate((s) => window.e2e.picture(s), selector), `a picture in ${selector}`, ms);
  const second = await until(async () => {
    const now = await page.evaluate((s) => window.e2e.picture(s), selector);
    return now && now.print !== first.print && now;
  }, `the picture in ${selector} moves`, ms);
  assert.ok(second.width >= 160 && second.height >= 120, `picture of ${second.width}×${second.height}`);
  assert.ok(Math.max(...second.mean) > 20, `the picture is black: ${second.mean}`);
  return second;
}
