// A page that is closed rings by Web Push. The browser's own push service is out of reach for a test, so its end is played: what
// the server sends is decrypted and handed to the service worker as the browser would.
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { atPage } from "./harness/person.mjs";
import { startPushService } from "./harness/push-service.mjs";
import { startServer } from "./harness/server.mjs";
import { story } from "./harness/story.mjs";
import { until } from "./harness/until.mjs";

describe("a closed page", () => {
  let server, service;
  before(async () => {
    service = await startPushService();
    server = await startServer({ "push.web_hosts": `["${service.host}"]`, "push.allow": "[127.0.0.0/8]" });
  });
  after(async () => {
    await server?.stop();
    await service?.stop();
  });

  /** Somebody whose browser rings when the page is closed; the page is closed. */
  const asleep = async (name) => {
    const person = await atPage(server.url, name);
    const context = person.page.context();
    await context.grantPermissions(["microphone", "camera", "notifications"], { origin: server.url });
    await context.exposeFunction("subscribeAtService", (key) => service.subscription(key));
    await person.page.evaluate(() => {
      PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        const json = await window.subscribeAtService(applicationServerKey);
        return { ...json, toJSON: () => json };
      };
    });
    await person.page.click('[aria-label="Ring when this page is closed"]');
    await person.page.waitForSelector('[aria-label="Ring when this page is closed"][aria-pressed="true"]');
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
    const aside = await context.newPage();
    await aside.goto(`${server.url}/assets/icon.svg`); // of the same origin, but not the page
    const devtools = await context.newCDPSession(aside);
    let registrationId;
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => (registrationId ??= registrations.find(({ scopeURL }) => scopeURL === `${server.url}/`)?.registrationId));
    await devtools.send("ServiceWorker.enable");
    await until(() => registrationId, "the service worker is registered");
    await person.page.close();
    return {
      ...person,
      context,
      /** The browser got a message. */
      pushed: ({ data }) => devtools.send("ServiceWorker.deliverPushMessage", { origin: server.url, registrationId, data: JSON.stringify(data) }),
      /** The one notification that is shown, once it says this. */
      async shows(body) {
        let shown = [];
        await until(async () => {
          shown = await worker.evaluate(async () =>
            (await registration.getNotifications()).map(({ title, body, tag, actions, requireInteraction }) => ({ title, body, tag, requireInteraction, actions: actions.map(({ action }) => action) })),
          );
          return shown.length === 1 && shown[0].body === body;
        }, `the notification says ${body}`);
        return shown[0];
      },
      /** A click on it, or on one of its buttons; resolves with the address that it would open. */
      async clicks(action) {
        await worker.evaluate(async (action) => {
          self.opened = undefined;
          clients.openWindow = async (url) => void (self.opened = url); // a made-up click may not open windows
          const [notification] = await registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
        }, action);
        return { opened: () => worker.evaluate(() => self.opened) };
      },
    };
  };

  story("is opened by accepting its push, and talks", async () => {
    const bob = await asleep("bob");
    const alice = await atPage(server.url, "alice");
    await alice.call(bob);
    const ring = await service.awaits("initiated", alice.uid);
    assert.equal(ring.data.senderUid, alice.uid);
    assert.equal(ring.headers.urgency, "high");
    assert.ok(Number(ring.headers.ttl) > 50 && Number(ring.headers.ttl) <= 60, `ttl ${ring.headers.ttl}`);
    await bob.pushed(ring);
    const shown = await bob.shows("Incoming video call");
    assert.deepEqual([shown.title, shown.tag, shown.actions, shown.requireInteraction], [alice.uid, ring.data.sessionId, ["accept", "decline"], true]);
    const { opened } = await bob.clicks("accept");
    await until(async () => (await opened()) === `/#answer=${ring.data.sessionId}`, "a page is opened");
    const page = await bob.context.newPage();
    await page.goto(server.url + (await opened()));
    await page.waitForSelector('.stage[data-phase="talking"]');
    await alice.talking();
    const stop = await service.awaits("ongoing");
    assert.equal(stop.data.senderUid, undefined);
    assert.equal(stop.headers.topic, ring.headers.topic, "a ring that was not delivered is replaced");
    await alice.close();
    await bob.context.close();
  });

  story("declines without being opened", async () => {
    const bob = await asleep("bob");
    const alice = await atPage(server.url, "alice");
    await alice.call(bob, "audio");
    await bob.pushed(await service.awaits("initiated", alice.uid));
    await bob.shows("Incoming audio call");
    await bob.clicks("decline");
    await alice.told("declined");
    await alice.close();
    await bob.context.close();
  });

  story("does not ring for a push that comes too late, and says what was missed", async () => {
    const bob = await asleep("bob");
    const alice = await atPage(server.url, "alice");
    await alice.call(bob);
    const ring = await service.awaits("initiated", alice.uid);
    await alice.hangUp();
    const stop = await service.awaits("cancelled", alice.uid);
    assert.deepEqual([stop.headers.ttl, stop.headers.topic], ["86400", ring.headers.topic]);
    await bob.pushed(ring); // late: the service worker asks the server
    await bob.shows("Missed video call");
    await bob.pushed(stop);
    const shown = await bob.shows("Missed video call");
    assert.deepEqual([shown.actions, shown.requireInteraction], [[], false]);
    const page = await bob.context.newPage();
    await page.goto(`${server.url}/#answer=${ring.data.sessionId}`);
    await page.locator(".notice-text", { hasText: "That call rings no more." }).waitFor();
    await alice.close();
    await bob.context.close();
  });
});
