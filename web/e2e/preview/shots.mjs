// Takes a picture of every state of the call page, without a server: node e2e/preview/shots.mjs [folder] [name…]
// For looking at, after any change to the page's style; it also prints what the console and axe complain of.
import { build } from "esbuild";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const here = fileURLToPath(new URL(".", import.meta.url));
const page = join(here, "../../src/page");
const [folder = join(here, "shots"), ...only] = process.argv.slice(2);
const csp = "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:; img-src 'self' data: https:";
const users = ["alice", "bob", "carol", "dave", "erin"].map((uid) => ({ uid, name: { bob: "Bob Okafor", carol: "Carol Lindqvist", erin: "Erin Sato" }[uid] ?? uid, avatar: "" }));

const bundled = await build({
  entryPoints: [join(page, "main.ts")], bundle: true, write: false, format: "esm",
  plugins: [{ name: "fake", setup: (b) => b.onResolve({ filter: /sdk\/index\.js$/ }, () => ({ path: join(here, "fake-sdk.ts") })) }],
});
const answers = {
  "/v1/config": { dev: true, authKey: "devkey", version: "preview" },
  "/v1/auth/login": { token: `x.${Buffer.from('{"sub":"alice"}').toString("base64url")}.x`, user: users[0] },
  "/v1/users": { users },
  "/v1/sessions": { invitation: `eyJhbGciOiJIUzI1NiJ9.${"x".repeat(120)}`, expiresAt: Date.now() + 86_400_000 },
  "/v1/groups": { groups: [{ guid: "book", name: "Book club" }, { guid: "ops", name: "Operations on call" }] },
};
const types = { ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://x").pathname.replace(/^(\/v1\/sessions).*/, "$1");
  response.setHeader("content-security-policy", csp);
  if (answers[path]) return response.setHeader("content-type", "application/json").end(JSON.stringify(answers[path]));
  if (path === "/page.js") return response.setHeader("content-type", "text/javascript").end(bundled.outputFiles[0].text);
  const file = path === "/" ? "index.html" : path === "/page.css" ? "style.css" : path.slice(1);
  try {
    response.setHeader("content-type", types[extname(file)] ?? "text/plain").end(await readFile(join(page, file)));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}/`;

const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
const me = { uid: "alice", name: "alice", avatar: "" };
const past = JSON.stringify([
  ["bob", "Bob Okafor", "missed", 4, 0], ["carol", "Carol Lindqvist", "outgoing", 50, 754], ["dave", "dave", "incoming", 1500, 65], ["book", "Book club", "incoming", 4000, 3120],
  ["meeting-3f9a2c", "meeting-3f9a2c", "outgoing", 5000, 1800],
].map(([id, name, outcome, minutes, seconds], at) => {
  const at0 = Date.now() - minutes * 60e3;
  const receiverType = id === "book" ? "group" : id.startsWith("meeting") ? "session" : "user";
  const other = { user: { uid: id, name, avatar: "" }, group: { guid: id, name }, session: { session: id, name } }[receiverType];
  const mine = outcome === "outgoing" || receiverType === "group";
  return {
    sessionId: `h${at}`, type: at % 2 ? "video" : "audio", receiverType, status: seconds ? "ended" : "cancelled", initiator: mine ? me : other, receiver: mine ? other : me, members: [], participants: [],
    direction: outcome === "missed" ? "incoming" : outcome, missed: outcome === "missed" || undefined, initiatedAt: at0, startedAt: seconds ? at0 : undefined, durationSeconds: seconds,
  };
}));
const signIn = async (p) => {
  await p.fill("#who", "alice");
  await p.keyboard.press("Enter");
  await p.waitForSelector("#people .row");
};
const dial = (who, kind) => async (p) => {
  await signIn(p);
  await p.click(`[data-id="${who}"] [data-call="${kind}"]`);
  await p.waitForFunction(() => window.preview.session);
};
const inCall = (who, kind, people, extra) => async (p) => {
  await dial(who, kind)(p);
  await p.evaluate((list) => {
    preview.accepted();
    for (const [uid, options] of list) preview.session.person(uid, options);
    preview.session.speaking.add(list[0][0]);
  }, people);
  if (extra) await p.evaluate(extra);
  await p.waitForTimeout(1400);
};
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const invitation = (seconds, publish) => `#invitation=x.${part({ session: { id: "meeting-3f9a2c", publish }, exp: Math.floor(Date.now() / 1000) + seconds })}.x`;
const door = (fragment, wait) => async (p) => {
  await p.goto(`${url}${fragment}`);
  await p.waitForSelector(wait);
  await p.waitForTimeout(900);
};
const meeting = (rights, people, extra) => async (p) => {
  await signIn(p);
  await p.evaluate((value) => void (window.rights = value), rights);
  await p.click("text=Start a meeting");
  await p.waitForFunction(() => document.querySelector("#invite-link")?.value);
  await p.evaluate((list) => list.forEach(([uid, options]) => preview.session.person(uid, options)), people);
  await extra?.(p);
  await p.waitForTimeout(900);
};
const escape = (p) => p.keyboard.press("Escape");
const three = [["bob", { hand: 5 }], ["carol", { muted: true }], ["dave", { camera: false, hand: 9 }]];
const guestIn = async (p) => {
  await door(invitation(5000), "#guest-name")(p);
  await p.fill("#guest-name", "Gwen");
  await p.keyboard.press("Enter");
  await p.waitForFunction(() => window.preview?.session);
};
const checkup = (light, count, other) => async (p) => {
  await signIn(p);
  await p.evaluate(([light, count, other]) => {
    const reasons = { failed: "No connection within 8 s.", skipped: "This server does not offer it." };
    window.light = light;
    window.checkup = ["signaling", "udp", "tcp", "turnUdp", "turnTcp", "turnTls", "bitrate"].slice(0, count).map((name, at) => {
      const result = other[name] ?? "passed";
      return { name, result, timeMs: 20 + at * 31, reason: reasons[result] ?? "", ...(name === "bitrate" && result !== "skipped" ? { bitrate: result === "passed" ? 2_640_000 : 310_000, reason: result === "passed" ? "" : "Too slow for a good picture." } : {}) };
    });
  }, [light, count, other]);
  await p.click('[aria-label="Test my connection"]');
};
const eight = ["bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan"].map((uid, at) => [uid, { muted: at % 3 === 1, camera: at % 4 !== 2, tall: at === 5 }]);

const scenes = {
  signin: [async () => {}],
  home: [signIn],
  outgoing: [dial("bob", "video")],
  outgoingAudio: [dial("bob", "audio")],
  incoming: [async (p) => { await signIn(p); await p.evaluate(() => preview.ring()); }],
  incomingAudioGroup: [async (p) => { await signIn(p); await p.evaluate(() => preview.ring({ type: "audio", receiverType: "group", receiver: { guid: "book", name: "Book club" } })); }],
  audio: [inCall("bob", "audio", [["bob", {}]])],
  video: [inCall("bob", "video", [["bob", {}]])],
  group3: [inCall("book", "video", [["bob", {}], ["carol", { muted: true, camera: false }]])],
  group9: [inCall("book", "video", eight)],
  screen: [inCall("book", "video", [["bob", { screen: true }], ["carol", { muted: true }], ["dave", { camera: false }]])],
  weak: [inCall("bob", "video", [["bob", { quality: { grade: "bad" }, paused: { camera: "bandwidth" } }]])],
  weakGroup: [inCall("book", "video", [["bob", { quality: { grade: "good" }, speaking: true }], ["carol", { quality: { grade: "poor" }, paused: { camera: "bandwidth" }, muted: true }], ["dave", { quality: { grade: "fair" } }]])],
  weakScreen: [inCall("book", "video", [["bob", { screen: true, paused: { screen: "bandwidth" }, quality: { grade: "bad" } }], ["carol", { quality: { grade: "fair" } }]])],
  sharing: [inCall("bob", "video", [["bob", {}]], () => preview.session.shareScreen())],
  muted: [inCall("bob", "video", [["bob", { muted: true }]], () => { preview.session.setMicrophone(false); preview.session.setCamera(false); })],
  reconnecting: [inCall("bob", "video", [["bob", {}]], () => { preview.session.state = "reconnecting"; preview.session.fire("stateChanged", { state: "reconnecting", previous: "connected" }); })],
  waitingCall: [inCall("bob", "video", [["bob", {}]], () => preview.ring({ initiator: { uid: "carol", name: "Carol Lindqvist", avatar: "" } }))],
  noAnswer: [async (p) => { await dial("bob", "video")(p); await p.evaluate(() => preview.over("unanswered", { status: "unanswered" })); }],
  error: [async (p) => { await signIn(p); await p.fill("#find", "nobody"); await p.keyboard.press("Enter"); await p.waitForSelector(".notice.bad"); }],
  missed: [async (p) => { await signIn(p); await p.evaluate(() => { preview.ring(); preview.over("missed", { status: "cancelled" }); }); }],
  devices: [async (p) => { await signIn(p); await p.click('[aria-label="Devices"]'); await p.waitForTimeout(900); }],
  checkupWaiting: [checkup("waiting", 3, {})],
  checkupGreen: [checkup("green", 7, { turnTls: "skipped" })],
  checkupYellow: [checkup("yellow", 7, { udp: "failed", turnUdp: "failed", turnTls: "skipped", bitrate: "failed" })],
  checkupRed: [checkup("red", 7, { udp: "failed", tcp: "failed", turnUdp: "failed", turnTcp: "failed", turnTls: "failed", bitrate: "skipped" })],
  door: [door(invitation(5000), "#guest-name")],
  doorWatch: [door(invitation(5000, []), "#guest-name")],
  doorExpired: [door(invitation(-5000), "h1")],
  doorInvalid: [door("#invitation=none", "h1")],
  guestAlone: [async (p) => { await guestIn(p); await p.waitForTimeout(600); }],
  guestRemoved: [async (p) => { await guestIn(p); await p.evaluate(() => preview.session.fire("closed", { reason: "removed", call: preview.session.call })); }],
  guestLeft: [async (p) => { await guestIn(p); await p.evaluate(() => preview.session.fire("closed", { reason: "lost", call: preview.session.call })); }],
  meetingInvite: [meeting({ moderate: true }, [])],
  meeting: [meeting({ moderate: true }, three, async (p) => { await escape(p); await p.keyboard.press("h"); })],
  meetingPeople: [meeting({ moderate: true }, three, async (p) => { await escape(p); await p.click(".stage-head .people"); await p.click('[aria-label^="Remove Carol"]'); })],
  meetingGuest: [meeting({ publish: [] }, three, async (p) => { await escape(p); await p.evaluate(() => preview.session.fire("mutedByModerator", { source: "microphone", by: { uid: "bob", name: "Bob Okafor", avatar: "" } })); })],
  blocking: [async (p) => { await signIn(p); await p.click('[aria-label="More about Bob Okafor"]'); }],
  missedOnly: [async (p) => { await signIn(p); await p.click('.pill:has-text("Missed")'); }],
  newgroup: [async (p) => { await signIn(p); await p.click("text=New group"); }],
  keys: [async (p) => { await signIn(p); await p.click('[aria-label="Keyboard shortcuts"]'); }],
};

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
});
let complaints = 0;
for (const [name, [scene]] of Object.entries(scenes)) {
  for (const [look, viewport, colorScheme] of [["light", desktop, "light"], ["dark", desktop, "dark"], ["phone", phone, "light"]]) {
    if (only.length > 0 && !only.includes(name) && !only.includes(`${name}-${look}`)) continue;
    const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1 });
    await context.addInitScript((value) => void (window.past = JSON.parse(value)), past);
    const p = await context.newPage();
    p.on("console", (message) => ["error", "warning"].includes(message.type()) && (complaints++, console.log(`${name}-${look}:`, message.text())));
    p.on("pageerror", (error) => (complaints++, console.log(`${name}-${look}:`, error.message)));
    await p.goto(url);
    await p.waitForSelector("#who");
    await scene(p);
    await p.waitForTimeout(200);
    for (const { id, nodes } of (await new AxeBuilder({ page: p }).analyze()).violations) {
      complaints++;
      console.log(`${name}-${look}: axe ${id}:`, nodes.map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`).join("; "));
    }
    await p.screenshot({ path: join(folder, `${name}-${look}.png`) });
    await context.close();
  }
}
await browser.close();
server.close();
process.exitCode = complaints ? 1 : 0;
