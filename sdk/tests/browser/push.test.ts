// `sessile/push` in a real Chromium: its service worker gets pushes, shows them with buttons, and
// decides with no page open. A headless Chromium has no push service: that alone is stood in for.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { BrowserContext, CDPSession, Page, Worker } from "playwright-core";
import { says, useExample } from "../../../tests/browser/example.ts";
import { connect } from "../../../tests/support/client.ts";
import { call } from "../../../tests/support/http.ts";
import { subscribe, vapidKey } from "../../../tests/support/push.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { until, within } from "../../../tests/support/wait.ts";
import { buildSample, samplesIn } from "../samples.ts";

/** The reader's own page: the Worker's address, a bell, and a place for the component. */
const HAS = `
  import { createElement, StrictMode } from "react";
  import { createRoot } from "react-dom/client";
  const { url, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const bell = document.body.appendChild(document.createElement("button"));
  const mount = (component) => {
    bell.remove();
    const root = document.body.appendChild(document.createElement("main"));
    createRoot(root).render(createElement(StrictMode, {}, createElement(component)));
  };
`;
const [plain = "", react = ""] = samplesIn("src/push/README.md");

const vapid = vapidKey();
const example = useExample(
  async (directory) => {
    const pages = { index: `${HAS}${react}mount(Bell);`, plain: HAS + plain };
    for (const [name, code] of Object.entries(pages)) {
      await buildSample(code, join(directory, `${name}.js`), {});
      const script = `<script type="module" src="${name}.js"></script>`;
      writeFileSync(join(directory, `${name}.html`), `<!doctype html><body></body>${script}`);
    }
    const worker = 'import "sessile/push/worker";';
    await buildSample(worker, join(directory, "push-worker.js"), { format: "iife" });
  },
  {
    vars: { SESSILE_VAPID_KEY: vapid.scalar, SESSILE_VAPID_SUBJECT: "mailto:ops@example.com" },
  },
);
const { fixture } = example;

/** A subscription as a push service of nobody gives it. */
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

interface Device {
  context: BrowserContext;
  page: Page;
  worker: Worker;
  devtools: CDPSession;
  /** The requests about devices: their method, and the endpoint. */
  said: string[];
  push(notice: object): Promise<void>;
}

const ON = "🔔 on ";
const OFF = "🔕 off ";

/** A device that may show notifications, and what the page says about it to the Worker. */
async function allowed(): Promise<Pick<Device, "context" | "said">> {
  const context = await example.device();
  await context.grantPermissions(["notifications"]);
  await context.addInitScript(standIn, subscribe("https://push.example/1").subscription);
  const said: string[] = [];
  context.on("request", (request) => {
    if (!request.url().includes("/v1/push/devices/") || request.method() === "OPTIONS") return;
    const { web } = request.postDataJSON() ?? {};
    said.push([request.method(), web?.endpoint].filter(Boolean).join(" "));
  });
  await context.route("**/v1/push/devices/*", (route) => route.fulfill({ json: {} }));
  return { context, said };
}

async function device(session: string): Promise<Device> {
  const { context, said } = await allowed();
  const { page } = await example.open(context, session);
  // An empty page that stays, of no site.
  const devtools = await context.newCDPSession(await context.newPage());
  const registered = new Promise<string>((done) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      for (const { registrationId } of registrations) done(registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  await says(page, "button", OFF);
  await page.click("button");
  await says(page, "button", ON);
  const registrationId = await within(registered, "the registration");
  const [worker = await context.waitForEvent("serviceworker")] = context.serviceWorkers();
  const origin = new URL(page.url()).origin;
  const push = async (notice: object) => {
    const data = JSON.stringify(notice);
    await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
  };
  return { context, page, worker, devtools, said, push };
}

interface Seen {
  title: string;
  body: string;
  tag: string;
  actions: { action: string; title: string }[];
}

/** The notifications on show. */
function seen(worker: Worker): Promise<Seen[]> {
  return worker.evaluate(async () => {
    const scope = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const list = await scope.registration.getNotifications();
    return list.map((one) => {
      const { title, body, tag, actions } = one as Notification & { actions: Seen["actions"] };
      const shown = actions.map(({ action, title }) => ({ action, title }));
      return { title, body, tag, actions: shown };
    });
  });
}

/** Presses a button of the one notification; resolves when the service worker is done with it. */
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

/** An approval that waits for ann, and the notice of it. */
async function asked(session: string) {
  const agent = await connect(fixture.server, session, { sub: "agent" });
  const request = { title: "Refund 40 €?", assignees: ["ann"] };
  const answer = await call(fixture.server, session, "POST", "/approvals", { json: request });
  assert.equal(answer.status, 201, answer.text);
  const { id } = (answer.body as { approval: { id: string } }).approval;
  const notice = {
    type: "approval.request",
    title: "Refund 40 €?",
    body: "The order of Ada",
    session,
    approval: id,
    at: Date.now(),
    tag: `tag-${id}`,
    actions: [
      { action: "approve", title: "Approve" },
      { action: "reject", title: "Reject" },
    ],
    decide: {
      url: `${fixture.server.url}/v1/sessions/${session}/approvals/${id}/decide`,
      token: await makeToken({ sub: "ann", caps: { [session]: ["approve"] } }),
    },
  };
  return { agent, id, notice };
}

describe("notifications", () => {
  test("P10.1 are switched on, stay on over a reload, and are switched off", async () => {
    const session = fixture.session();
    const { page, said } = await device(session);
    assert.deepEqual(said, ["PUT https://push.example/1"]);
    await page.reload();
    await says(page, "button", ON);
    await until(
      () => said.length,
      (count) => count === 2,
      "the device to be registered again",
    );
    await page.click("button");
    await says(page, "button", OFF);
    assert.deepEqual(said, [...Array(2).fill(said[0]), "DELETE"]);
    await page.reload();
    await says(page, "button", OFF);
  });

  test("P10.1 are switched on by a page without a framework", async () => {
    const { context, said } = await allowed();
    const { page } = await example.open(context, fixture.session(), { path: "plain.html" });
    await page.click("button");
    await until(
      () => said,
      ([one]) => one === "PUT https://push.example/1",
      "the device to be registered",
    );
  });

  test("P10.2 show their buttons, and one for each tag", async () => {
    const session = fixture.session();
    const { worker, push } = await device(session);
    const { agent, notice } = await asked(session);
    await push(notice);
    await push({ ...notice, body: "The order of Ada, again" });
    await until(
      () => seen(worker),
      ([first, ...more]) => more.length === 0 && first?.body === "The order of Ada, again",
      "one notification, the newest",
    );
    const [first] = await seen(worker);
    const { title, tag, actions } = notice;
    assert.deepEqual(first, { title, body: "The order of Ada, again", tag, actions });
    agent.close();
  });

  test("P10.2 decide with no page open, and a second press is harmless", async () => {
    const session = fixture.session();
    const { page, worker, push } = await device(session);
    const { agent, id, notice } = await asked(session);
    await push(notice);
    await until(
      () => seen(worker),
      (list) => list.length === 1,
      "a notification",
    );
    await page.close();
    await press(worker, "approve");
    const [told] = await seen(worker);
    assert.deepEqual([told?.body, told?.actions], ["✓ Approve", []]);
    const read = await call(fixture.server, session, "GET", "/approvals?status=all");
    const { approvals } = read.body as { approvals: { id: string; status: string }[] };
    assert.equal(approvals.find((one) => one.id === id)?.status, "approved");

    await push(notice);
    await until(
      () => seen(worker),
      ([one]) => one?.actions.length === 2,
      "the notification again",
    );
    await press(worker, "reject");
    const [refused] = await seen(worker);
    assert.deepEqual([refused?.body, refused?.actions], ["Already approved", []]);
    agent.close();
  });
});
