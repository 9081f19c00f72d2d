// `examples/approvals` in a real Chromium, with its agent as a process of its own: a user's page
// that runs the agent's tool and answers its question, and a supervisor's page.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { Endpoint } from "../support/endpoint.ts";
import { getHistory } from "../support/http.ts";
import { phone } from "../support/notifications.ts";
import { vapidKey } from "../support/push.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { until, within } from "../support/wait.ts";
import { says, texts, useExample } from "./example.ts";
import { buildForDevelopment } from "./vite.ts";

const FOLDER = join(ROOT, "examples", "approvals");
const SUPERVISOR = { sub: "sue", name: "Sue", caps: { "*": ["supervisor"] } };

const example = useExample((directory) => buildForDevelopment(join(FOLDER, "pages"), directory), {
  vars: {
    SESSILE_VAPID_KEY: vapidKey().scalar,
    SESSILE_VAPID_SUBJECT: "mailto:ops@example.com",
    SESSILE_LOCAL_TARGETS: "1",
  },
});
const { fixture } = example;
const service = new Endpoint();
before(() => service.start());
after(() => service.stop());

/** The agent, joined: what was said before it came is history to it. */
async function agent(t: TestContext, session: string): Promise<ChildProcess> {
  const TOKEN = await makeToken({ sub: "seller", caps: { "*": ["agent"] } });
  const env = { ...process.env, URL: fixture.server.url, SESSION: session, TOKEN };
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, ["agent/agent.ts"], {
    cwd: FOLDER,
    env,
    stdio: [...stdio],
  });
  t.after(() => child.kill("SIGKILL"));
  const joined = new Promise<void>((done) => {
    child.stdout?.on("data", (text) => String(text).includes("connected") && done());
  });
  await within(joined, "the agent to join");
  return child;
}

async function user(context: BrowserContext, session: string): Promise<Page> {
  const { page } = await example.open(context, session);
  await says(page, "#connection", "connected");
  return page;
}

async function supervisor(session?: string): Promise<Page> {
  const token = await makeToken(SUPERVISOR);
  const context = await example.device();
  const more = { token };
  const { page } = await example.open(context, session ?? "", { path: "supervisor.html", more });
  if (session) await says(page, "#connection", "connected");
  return page;
}

async function say(page: Page, text: string, label = "Message"): Promise<void> {
  const line = page.getByLabel(label);
  await line.fill(text);
  await line.press("Enter");
}

/** Waits until the page says so, somewhere. */
async function reads(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

describe("the example of approvals", () => {
  test("the agent asks the device, the user and a supervisor, then buys", async (t) => {
    const session = fixture.session();
    const page = await user(await example.device(), session);
    await agent(t, session);
    await say(page, "Two tickets, please");
    await says(page, "#looked", "This page looked up the free evenings of 2026-12.");
    await reads(page, "Which evening would you like?");
    assert.deepEqual(await page.locator(".question button").allTextContents(), [
      "Friday 4 December",
      "Friday 11 December",
      "Friday 18 December",
    ]);
    await page.click("text=Friday 11 December");
    await reads(page, "Buy two tickets for Friday 11 December? A supervisor is asked.");
    await reads(page, "Which evening would you like? Friday 11 December, by ann");

    const desk = await supervisor(session);
    await reads(desk, "Two tickets, please");
    await reads(desk, 'free-evenings: complete {"free":["2026-12-04","2026-12-11","2026-12-18"]}');
    await reads(desk, "Which evening would you like? 2026-12-11, by ann");
    await desk.getByLabel("seats").fill("9");
    await desk.click("text=Approve");
    await reads(desk, /\/seats: /);
    await desk.getByLabel("seats").fill("1");
    await desk.getByLabel("price").fill("45");
    await desk.getByLabel("evening").selectOption("2026-12-18");
    await desk.click("text=Approve");
    await reads(page, /Bought for Friday 18 December: 1 at 45 €/);
    await reads(page, "Buy two tickets for Friday 11 December? approved, by sue");
    await reads(desk, "Buy two tickets for Friday 11 December? approved, by sue");
    assert.equal(await desk.locator(".approval").count(), 0);
  });

  test("of two tabs one runs the tool, and both show what came of it", async (t) => {
    const session = fixture.session();
    const context = await example.device();
    const tabs = [await user(context, session), await user(context, session)] as const;
    await agent(t, session);
    await say(tabs[0], "Two tickets, please");
    for (const tab of tabs) await reads(tab, "Which evening would you like?");
    const counts = await Promise.all(tabs.map((tab) => tab.locator("#looked").count()));
    assert.deepEqual(counts.sort(), [0, 1]);
    await tabs[1].click("text=Friday 4 December");
    for (const tab of tabs) await reads(tab, /A supervisor is asked/);
    await tabs[0].reload();
    await reads(tabs[0], /A supervisor is asked/);
  });

  test("asked on one day, decided on another: nobody was there in between", async (t) => {
    const session = fixture.session();
    const page = await user(await example.device(), session);
    const first = await agent(t, session);
    await say(page, "Two tickets, please");
    await page.click("text=Friday 4 December");
    await reads(page, /A supervisor is asked/);
    await page.close();
    first.kill("SIGKILL");
    await fixture.server.kill9();
    await fixture.server.start();

    // She was never in the session: her inbox has it.
    const desk = await supervisor();
    const waiting = desk.locator(`#approvals >> text=${session}: Buy two tickets`);
    await waiting.click({ timeout: 60_000 });
    await reads(desk, "Two tickets, please");
    await desk.click("text=Approve");
    await desk.locator(`#approvals >> text=${session}: `).waitFor({ state: "detached" });
    await reads(desk, "Buy two tickets for Friday 4 December? approved, by sue");
    await agent(t, session);
    await reads(desk, /Bought for Friday 4 December: 2 at 90 €/);
    const again = await user(await example.device(), session);
    await reads(again, /Bought for Friday 4 December: 2 at 90 €/);
  });

  test("words answer, too: they dismiss the question, and are a message", async (t) => {
    const session = fixture.session();
    const page = await user(await example.device(), session);
    await agent(t, session);
    await say(page, "Two tickets, please");
    await reads(page, "Which evening would you like?");
    await say(page, "Rather not");
    await reads(page, "Then another time.");
    await reads(page, /Which evening would you like\? dismissed, by ann/);
  });

  test("a supervisor takes over, talks and hands back", async () => {
    const session = fixture.session();
    const page = await user(await example.device(), session);
    await say(page, "Is anybody there?");
    const desk = await supervisor(session);
    await reads(desk, "Is anybody there?");
    await desk.click("text=Take over");
    await says(page, "#lead", "Sue answers you now.");
    await say(desk, "I am. How can I help?", "To the user");
    await reads(page, "I am. How can I help?");
    await say(page, "Just so");
    await reads(desk, "Just so");
    assert.deepEqual((await texts(page)).length, 3);
    await desk.click("text=Hand back");
    await page.waitForFunction(() => !document.querySelector("#lead"));
    const history = await getHistory(fixture.server, session);
    assert.deepEqual(
      history.map(({ client, role }) => [client, role]),
      [
        ["ann", "user"],
        ["sue", "assistant"],
        ["ann", "user"],
      ],
    );
  });

  test("a user who is away is notified of the answer", async (t) => {
    const session = fixture.session();
    const context = await example.device();
    const ann = await phone(context, service, "/ann");
    const page = await user(context, session);
    await page.click("text=Notify me");
    await reads(page, "Notifications are on");
    await agent(t, session);
    await say(page, "Two tickets, please");
    await page.click("text=Friday 4 December");
    await reads(page, /A supervisor is asked/);
    const { push, shows } = await ann.serve(page);
    await page.close();

    const desk = await supervisor(session);
    await desk.click("text=Approve");
    await reads(desk, /Bought for Friday 4 December: 2 at 90 €/);
    const [notice] = await until(ann.notices, (all) => 0 < all.length, "a notice");
    const { type, ...told } = notice as { type: string; session: string };
    assert.deepEqual([type, told.session], ["turn.end", session]);
    await push(notice);
    await shows(({ actions }) => actions.length === 0, "the notification");
    assert.equal(ann.notices().length, 1);
  });
});
