// `sessile/push` in a real Chromium, with the pages of its README: a notice that a session sends
// is shown by the service worker, and its buttons decide with no page open.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join as path } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { says, useExample } from "../../../tests/browser/example.ts";
import { Endpoint, taken } from "../../../tests/support/endpoint.ts";
import { call, field } from "../../../tests/support/http.ts";
import { type Phone, phone, type Served } from "../../../tests/support/notifications.ts";
import { vapidKey } from "../../../tests/support/push.ts";
import { until } from "../../../tests/support/wait.ts";
import { join } from "../agent/workerd/agent.ts";
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
const [plain = "", notify = "", react = ""] = samplesIn("src/push/README.md");
const ON = "🔔 on ";
const OFF = "🔕 off ";

const example = useExample(
  async (directory) => {
    const pages = { index: `${HAS}${react}mount(Bell);`, plain: HAS + plain };
    for (const [name, code] of Object.entries(pages)) {
      await buildSample(code, path(directory, `${name}.js`), {});
      const script = `<script type="module" src="${name}.js"></script>`;
      writeFileSync(path(directory, `${name}.html`), `<!doctype html><body></body>${script}`);
    }
    const worker = 'import "sessile/push/worker";';
    await buildSample(worker, path(directory, "push-worker.js"), { format: "iife" });
  },
  {
    vars: {
      SESSILE_VAPID_KEY: vapidKey().scalar,
      SESSILE_VAPID_SUBJECT: "mailto:ops@example.com",
      SESSILE_LOCAL_TARGETS: "1",
    },
  },
);
const { fixture } = example;
const service = new Endpoint();
before(() => service.start());
afterEach(() => {
  service.answer = taken;
  service.calls.length = 0;
});
after(() => service.stop());

interface Device extends Phone, Served {
  page: Page;
}

/** A device of somebody, who has switched notifications on. */
async function device(sub: string): Promise<Device> {
  const made = await phone(await example.device(), service, `/${sub}`);
  const { page } = await example.open(made.context, fixture.session(), { sub });
  await says(page, "button", OFF);
  await page.click("button");
  await says(page, "button", ON);
  return { ...made, page, ...(await made.serve(page)) };
}

/** An approval of one client; the notice of it. */
async function asked({ notices }: Phone, session: string, client: string) {
  const json = { title: "Refund 40 €?", description: "The order of Ada", assignees: [client] };
  const answer = await call(fixture.server, session, "POST", "/approvals", { json });
  assert.equal(answer.status, 201, answer.text);
  const { id } = (answer.body as { approval: { id: string } }).approval;
  const [notice] = await until(notices, (all) => all.length === 1, "a notice");
  return { id, notice: notice as { session: string; approval: string } };
}

async function statusOf(session: string, id: string): Promise<string | undefined> {
  const read = await call(fixture.server, session, "GET", "/approvals?status=all");
  const { approvals } = read.body as { approvals: { id: string; status: string }[] };
  return approvals.find((one) => one.id === id)?.status;
}

describe("notifications", () => {
  test("P10.1 are switched on, stay on over a reload, and are switched off", async () => {
    const { page, said } = await device("amy");
    assert.deepEqual(said, ["PUT /amy"]);
    await page.reload();
    await says(page, "button", ON);
    await until(
      () => said.length,
      (count) => count === 2,
      "the device to be registered again",
    );
    await page.click("button");
    await says(page, "button", OFF);
    assert.deepEqual(said, ["PUT /amy", "PUT /amy", "DELETE"]);
    await page.reload();
    await says(page, "button", OFF);
    const list = await call(fixture.server, "", "GET", "/v1/push/devices", { sub: "amy" });
    assert.deepEqual(field(list, "devices"), []);
  });

  test("P10.1 are switched on by a page without a framework", async () => {
    const { context, said } = await phone(await example.device(), service, "/bea");
    const { page } = await example.open(context, fixture.session(), { path: "plain.html" });
    await page.click("button");
    await until(
      () => said,
      ([one]) => one === "PUT /bea",
      "the device to be registered",
    );
  });

  test("P10.2 say what an agent says to a client that took part", async () => {
    const session = fixture.session();
    const ada = await device("ada");
    const said = { sub: "ada", json: { data: "A report, please" } };
    assert.equal((await call(fixture.server, session, "POST", "/messages", said)).status, 201);
    const bot = join(fixture.server, session);
    const run = new Function("session", `return (async () => { ${notify} })()`);
    // The inbox of a client is told of its session first.
    await until(
      () => run(bot).then(() => ada.notices().length),
      (count) => 0 < count,
      "a notice",
    );
    await ada.push(ada.notices()[0]);
    await ada.shows(({ title }) => title === "Your report is ready", "the notification");
  });

  test("P10.2 show their buttons, and one for each tag", async () => {
    const session = fixture.session();
    const eve = await device("eve");
    const { notice } = await asked(eve, session, "eve");
    await eve.push(notice);
    await eve.push({ ...notice, body: "The order of Ada, again" });
    const isNewest = ({ body }: { body: string }) => body === "The order of Ada, again";
    const { title, actions } = await eve.shows(isNewest, "one notification, the newest");
    assert.equal(title, "Refund 40 €?");
    assert.deepEqual(
      actions.map(({ action }) => action),
      ["approve", "reject"],
    );
  });

  test("P10.2 decide with no page open, and a second press is harmless", async () => {
    const session = fixture.session();
    const zoe = await device("zoe");
    await zoe.page.close();
    const { id, notice } = await asked(zoe, session, "zoe");
    assert.deepEqual([notice.session, notice.approval], [session, id]);
    const hasButtons = ({ actions }: { actions: unknown[] }) => actions.length === 2;
    const isSettled = ({ actions }: { actions: unknown[] }) => actions.length === 0;

    await zoe.push(notice);
    await zoe.shows(hasButtons, "the notification");
    await zoe.press("approve");
    const told = await zoe.shows(isSettled, "its end");
    assert.match(told.body, /^✓ /);
    assert.equal(await statusOf(session, id), "approved");

    await zoe.push(notice);
    await zoe.shows(hasButtons, "the notification again");
    await zoe.press("reject");
    assert.equal((await zoe.shows(isSettled, "its end")).body, "Already approved");
    assert.equal(await statusOf(session, id), "approved");
  });
});
