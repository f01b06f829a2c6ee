// A TCP proxy in front of the server, to cut and restore its connections.
import { connect, createServer } from "node:net";

/**
 * Listens on a free loopback port and passes everything to target; cut ends all connections and refuses new ones; leave
 * has all there are carry nothing any more, without a word to either end, and carries new ones.
 */
export async function startProxy(target) {
  const sockets = new Set();
  const pairs = new Set();
  let open = true;
  const server = createServer((near) => {
    if (!open) return near.destroy();
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
    pairs.add([near, far]);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const cut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  const leave = () => {
    for (const [near, far] of pairs) {
      near.unpipe(far).on("data", () => undefined);
      far.unpipe(near).on("data", () => undefined);
    }
    pairs.clear();
  };
  return {
    leave,
    url: `http://127.0.0.1:${server.address().port}`,
    cut,
    restore: () => void (open = true),
    close: () => {
      cut();
      return new Promise((done) => server.close(done));
    },
  };
}
