// Notifications in a real Chromium. A headless one has no push service: subscriptions are stood in
// for, and a notice that reached our own endpoint is handed to the service worker by DevTools.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { BrowserContext, Page, Worker } from "playwright-core";
import type { Called, Endpoint } from "./endpoint.ts";
import { subscribe } from "./push.ts";
import { until, within } from "./wait.ts";

const require = createRequire(import.meta.url);
const ece: { decrypt(body: Buffer, how: object): Buffer } = require("http_ece");

export interface Shown {
  title: string;
  body: string;
  tag: string;
  actions: { action: string; title: string }[];
}

/** A device whose person allows notifications. */
export interface Phone {
  context: BrowserContext;
  /** The requests about devices: their method, and the path of the endpoint. */
  said: string[];
  /** The notices that the push service got for it, decrypted. */
  notices(): unknown[];
  /** Waits for the service worker of a page that has registered. */
  serve(page: Page): Promise<Served>;
}

/** The service worker of a device. */
export interface Served {
  worker: Worker;
  push(notice: unknown): Promise<void>;
  /** Waits until there is one notification, such a one. */
  shows(isSuch: (one: Shown) => boolean, what: string): Promise<Shown>;
  /** Presses a button of that one; resolves when the service worker is done with it. */
  press(action: string): Promise<void>;
}

/** Makes a device of a context; its endpoint is at this path of the push service. */
export async function phone(
  context: BrowserContext,
  service: Endpoint,
  path: string,
): Promise<Phone> {
  const device = subscribe(service.url(path));
  await context.grantPermissions(["notifications"]);
  await context.addInitScript(standIn, device.subscription);
  const said: string[] = [];
  context.on("request", (request) => {
    if (!request.url().includes("/v1/push/devices/") || request.method() === "OPTIONS") return;
    const { web } = request.postDataJSON() ?? {};
    said.push([request.method(), web && new URL(web.endpoint).pathname].filter(Boolean).join(" "));
  });
  // An empty page that stays, of no site.
  const devtools = await context.newCDPSession(await context.newPage());
  const registered = new Promise<{ registrationId: string; scopeURL: string }>((done) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      for (const registration of registrations) done(registration);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const read = ({ bytes }: Called): unknown => {
    const how = { version: "aes128gcm", privateKey: device.pair, authSecret: device.auth };
    return JSON.parse(ece.decrypt(bytes, how).toString("utf8"));
  };
  const notices = () => service.calls.filter((called) => called.path === path).map(read);
  const serve = async (page: Page): Promise<Served> => {
    const { registrationId } = await within(registered, "the registration");
    const [worker = await context.waitForEvent("serviceworker")] = context.serviceWorkers();
    const origin = new URL(page.url()).origin;
    let again = async () => {};
    let pushedAt = 0;
    return {
      worker,
      async push(notice) {
        const data = JSON.stringify(notice);
        again = async () => {
          pushedAt = Date.now();
          await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
        };
        await again();
      },
      async shows(isSuch, what) {
        const [one] = await until(
          async () => {
            const all = await shown(worker);
            // A push that comes while the browser ends or starts the worker may be lost.
            if (all.length === 0 && Date.now() - pushedAt > 3000) await again();
            return all;
          },
          ([first, ...more]) => more.length === 0 && first !== undefined && isSuch(first),
          what,
        );
        assert.ok(one);
        return one;
      },
      press: (action) => press(worker, action),
    };
  };
  return { context, said, notices, serve };
}

/** Runs in the page: a subscription as a push service gives it. */
function standIn({ endpoint, keys }: ReturnType<typeof subscribe>["subscription"]): void {
  let held: unknown = null;
  PushManager.prototype.getSubscription = async () => held as PushSubscription | null;
  PushManager.prototype.subscribe = async (options) => {
    const key = options?.applicationServerKey;
    held = {
      options: { applicationServerKey: key instanceof Uint8Array && key.buffer },
      unsubscribe: async () => {
        held = null;
      },
      toJSON: () => ({ endpoint, keys }),
    };
    return held as PushSubscription;
  };
}

/** The notifications on show. */
function shown(worker: Worker): Promise<Shown[]> {
  return worker.evaluate(async () => {
    const scope = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const list = await scope.registration.getNotifications();
    return list.map((one) => {
      const { title, body, tag, actions } = one as Notification & { actions: Shown["actions"] };
      const buttons = actions.map(({ action, title }) => ({ action, title }));
      return { title, body, tag, actions: buttons };
    });
  });
}

function press(worker: Worker, action: string): Promise<void> {
  return worker.evaluate(async (action) => {
    const scope = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const [notification] = await scope.registration.getNotifications();
    const Made = Reflect.get(globalThis, "NotificationEvent");
    const event = new Made("notificationclick", { notification, action });
    // The browser lets only its own events be waited for.
    let work: unknown;
    event.waitUntil = (given: unknown) => {
      work = given;
    };
    globalThis.dispatchEvent(event);
    await work;
  }, action);
}
