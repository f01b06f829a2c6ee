// A network that a person can leave: everything that was open goes dead without a word, and what is opened later works, as
// when a laptop goes from one Wi-Fi to another.
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

/** Stands between a browser and the server's HTTP and media ports, on loopback. */
export async function startRoaming({ http, media }) {
  const tcp = await startTCP(http);
  const udp = await startUDP(media);
  return {
    url: `http://127.0.0.1:${tcp.port}`,
    /** For the page's own init script: candidates of the server's answers lead here, and TCP is none of them. */
    rewrite: { from: media, to: udp.port },
    leave() {
      tcp.leave();
      udp.leave();
    },
    async close() {
      tcp.close();
      await udp.close();
    },
  };
}

async function startTCP(target) {
  const dead = new Set();
  const alive = new Set();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    const pair = { near, far };
    alive.add(pair);
    const pass = (from, to) => {
      from.on("data", (bytes) => dead.has(pair) || to.write(bytes));
      from.on("error", () => undefined);
      from.on("close", () => {
        if (dead.has(pair)) return; // nothing of the old network is heard any more, not even its end
        alive.delete(pair);
        to.destroy();
      });
    };
    pass(near, far);
    pass(far, near);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: server.address().port,
    leave() {
      for (const pair of alive) dead.add(pair);
    },
    close() {
      for (const { near, far } of [...alive, ...dead]) {
        near.destroy();
        far.destroy();
      }
      server.close();
    },
  };
}

async function startUDP(target) {
  const dead = new Set();
  const far = new Map();
  const near = createSocket("udp4");
  near.on("message", (bytes, { port, address }) => {
    if (dead.has(port)) return;
    let socket = far.get(port);
    if (!socket) {
      far.set(port, (socket = createSocket("udp4")));
      socket.on("message", (answer) => dead.has(port) || near.send(answer, port, address));
    }
    socket.send(bytes, target, "127.0.0.1");
  });
  await new Promise((done) => near.bind(0, "127.0.0.1", done));
  return {
    port: near.address().port,
    leave() {
      for (const port of far.keys()) dead.add(port);
    },
    async close() {
      for (const socket of [near, ...far.values()]) await new Promise((done) => socket.close(done));
    },
  };
}

/** Runs in the page: sends media the way that startRoaming says. */
export function takeTheRoad({ from, to }) {
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const lines = description.sdp
      .split("\r\n")
      .filter((line) => !/^a=candidate:\S+ \d+ tcp /i.test(line))
      .map((line) => (line.startsWith("a=candidate:") ? line.replace(` ${from} typ`, ` ${to} typ`) : line));
    return set.call(this, { type: description.type, sdp: lines.join("\r\n") });
  };
}
