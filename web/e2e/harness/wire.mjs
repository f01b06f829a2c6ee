// A UDP relay in front of the media port, which can do what NATs and phones do.
import { createSocket } from "node:dgram";

const host = "127.0.0.1";

/** Listens on a free loopback port and passes datagrams to target and back, each client from a port of its own. */
export async function startWire(target) {
  const front = createSocket("udp4");
  const clients = new Map();
  const bind = (socket) => new Promise((done) => socket.bind(0, host, done));
  await bind(front);
  const back = async (client) => {
    const socket = createSocket("udp4");
    socket.on("message", (data) => client.socket === socket && !client.left && front.send(data, client.port, client.address));
    await bind(socket);
    return socket;
  };
  front.on("message", async (data, { address, port }) => {
    let client = clients.get(`${address} ${port}`);
    if (!client) {
      clients.set(`${address} ${port}`, (client = { address, port, left: false }));
      client.opening = back(client).then((socket) => (client.socket = socket));
    }
    await client.opening;
    if (!client.left) client.socket.send(data, target, host);
  });
  return {
    address: `${host}:${front.address().port}`,
    /** The NAT forgets everybody: each gets another address towards the server, and the old one is closed. */
    async rebind() {
      for (const client of clients.values()) {
        const old = client.socket;
        client.socket = await back(client);
        old.close();
      }
    },
    /** What clients have open is worthless from now on; what they open later works. */
    leave() {
      for (const client of clients.values()) client.left = true;
    },
    close() {
      front.close();
      for (const client of clients.values()) client.socket?.close();
    },
  };
}
