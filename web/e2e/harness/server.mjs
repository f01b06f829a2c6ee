// The real parley binary on free loopback ports with a data directory of its own.
import { execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "./until.mjs";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
let binary;

/** Builds parley once per run; PARLEY_BIN names one that is built already. */
async function built() {
  binary ??= process.env.PARLEY_BIN
    ? Promise.resolve(process.env.PARLEY_BIN)
    : (async () => {
        const path = join(await mkdtemp(join(tmpdir(), "parley-e2e-bin-")), "parley");
        await promisify(execFile)("go", ["build", "-o", path, "./cmd/parley"], { cwd: repository });
        return path;
      })();
  return binary;
}

/**
 * A port that is free now on loopback for TCP and UDP. It is below those that systems hand out by themselves (Linux from
 * 32768, others from 49152), so that no browser takes it before the server does, nor while the server restarts.
 */
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const stream = createServer();
    const datagrams = createSocket("udp4");
    const bound = (socket, bind) => new Promise((done) => socket.once("error", () => done(false)) && bind(() => done(true)));
    const [tcp, udp] = await Promise.all([
      bound(stream, (done) => stream.listen(port, "127.0.0.1", done)),
      bound(datagrams, (done) => datagrams.bind(port, "127.0.0.1", done)),
    ]);
    await Promise.all([tcp && new Promise((done) => stream.close(done)), udp && new Promise((done) => datagrams.close(done))]);
    if (tcp && udp) return port;
  }
}

/**
 * Starts `parley serve --dev`, which rings for a minute and misses people for 4 s. settings overrides options by their name in the configuration
 * (`calls.grace`); secret makes it a server for production, with one API key. The result has url and ports, and stops,
 * kills or restarts the process it started.
 */
export async function startServer(settings = {}, { secret } = {}) {
  const path = await built();
  const dir = await mkdtemp(join(tmpdir(), "parley-e2e-"));
  const [http, admin, media, turn] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const options = {
    "http.listen": `127.0.0.1:${http}`,
    "admin.listen": `127.0.0.1:${admin}`,
    "media.udp": `127.0.0.1:${media}`,
    "media.tcp": `127.0.0.1:${media}`,
    "turn.udp": `127.0.0.1:${turn}`,
    "turn.tcp": `127.0.0.1:${turn}`,
    "turn.tls": "off",
    "store.dir": dir,
    "calls.ring_timeout": "60s",
    "calls.grace": "4s",
    "log.level": "info",
    "shutdown.wait": "1s",
    ...settings,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const env = { ...process.env, ...(secret ? { PARLEY_AUTH_KEYS_0_ID: "e2e", PARLEY_AUTH_KEYS_0_SECRET: secret } : {}) };
  const url = `http://127.0.0.1:${http}`;
  const log = [];
  let child;

  const launch = async () => {
    child = spawn(path, ["serve", ...(secret ? [] : ["--dev"]), ...flags], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        log.push(text);
        if (process.env.E2E_LOG) process.stderr.write(text);
      });
    }
    const ended = new Promise((done) => child.once("exit", done));
    child.ended = ended;
    await until(
      async () => {
        if (child.exitCode !== null) throw Object.assign(new Error(`parley exited ${child.exitCode}:\n${log.join("").slice(-3000)}`), { final: true });
        return (await fetch(`${url}/readyz`)).ok;
      },
      "the server is ready",
      20_000,
    );
  };
  const end = async (signal) => {
    if (child.exitCode === null) child.kill(signal);
    await child.ended;
  };

  await launch();
  return {
    url,
    ports: { http, media, turn },
    pid: () => child.pid,
    log: () => log.join(""),
    /** A token as an operator makes one by hand. */
    async token(uid) {
      const { stdout } = await promisify(execFile)(path, ["token", ...flags, "--uid", uid], { env });
      return stdout.trim();
    },
    /** SIGKILL and a new process on the same ports and data. */
    async restart() {
      await end("SIGKILL");
      await launch();
    },
    async stop() {
      await end("SIGTERM");
      await rm(dir, { recursive: true, force: true });
    },
  };
}
