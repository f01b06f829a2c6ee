// A push service as browsers have one: takes encrypted messages (RFC 8030), checks VAPID (RFC 8292) and reads them with a library
// that has nothing to do with the server's (RFC 8291).
import ece from "http_ece";
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { createServer } from "node:http";
import { until } from "./until.mjs";

const decode = (text) => Buffer.from(text, "base64url");

/** Starts the service. subscription() is a new browser's; messages are what it got, decrypted. */
export async function startPushService() {
  const browsers = new Map();
  const messages = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const browser = browsers.get(request.url);
    const problem = refusalOf(request, browser);
    if (problem) return response.writeHead(problem).end();
    const payload = ece.decrypt(Buffer.concat(chunks), { version: "aes128gcm", privateKey: browser.ecdh, authSecret: browser.auth });
    messages.push({ path: request.url, headers: request.headers, data: JSON.parse(payload.toString("utf8")) });
    response.writeHead(201).end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;

  /** 404 for a browser that is gone, 403 for a sender who is not whom it subscribed to. */
  const refusalOf = ({ url, headers }, browser) => {
    if (!browser) return 404;
    const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? "") ?? [];
    if (key !== browser.applicationServerKey) return 403;
    const [header, claims, signature] = token.split(".");
    const point = decode(key);
    const jwk = { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
    const good = verify("sha256", Buffer.from(`${header}.${claims}`), { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" }, decode(signature));
    const { aud, exp, sub } = JSON.parse(decode(claims).toString());
    const complete = headers["content-encoding"] === "aes128gcm" && headers.ttl && url;
    return good && complete && aud === origin && exp > Date.now() / 1000 && sub ? 0 : 401;
  };

  return {
    host: new URL(origin).host,
    messages,
    /** What a browser gives a page that subscribes with this key: PushSubscription.toJSON(). */
    subscription(applicationServerKey) {
      const ecdh = createECDH("prime256v1");
      ecdh.generateKeys();
      const auth = randomBytes(16);
      const path = `/push/${randomBytes(16).toString("base64url")}`;
      browsers.set(path, { ecdh, auth, applicationServerKey });
      return { endpoint: origin + path, expirationTime: null, keys: { p256dh: ecdh.getPublicKey("base64url"), auth: auth.toString("base64url") } };
    },
    /** The next message with this action for a call of this caller. */
    async awaits(callAction, caller) {
      let found;
      await until(() => (found = messages.find(({ data }) => data.callAction === callAction && (!caller || data.title === caller))), `a push ${callAction}`);
      return found;
    },
    stop: () => new Promise((done) => server.close(done)),
  };
}
