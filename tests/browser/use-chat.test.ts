// `examples/use-chat` in a real Chromium: never a token lost or doubled, the model called once, and
// nothing cancelled that nobody cancelled.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { build } from "vite";
import { ANSWER, type Joined, joinAgent } from "../../sdk/tests/ai-sdk/agent.ts";
import { joinShop, shopOf } from "../../sdk/tests/ai-sdk/shop.ts";
import { launch, type Site, serve } from "../support/browser.ts";
import { useServer } from "../support/fixture.ts";
import { call, field } from "../support/http.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();
let site: Site;
let browser: Browser;
let directory: string;
let contexts: BrowserContext[] = [];
let agents: Joined[] = [];

before(async () => {
  directory = mkdtempSync(join(tmpdir(), "sessile-use-chat-"));
  await build({
    root: join(ROOT, "examples", "use-chat"),
    logLevel: "error",
    build: { outDir: directory, emptyOutDir: true },
  });
  site = await serve(directory);
  browser = await launch();
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  for (const agent of agents) agent.close();
  contexts = [];
  agents = [];
});

after(async () => {
  await browser?.close();
  site?.close();
  if (directory) rmSync(directory, { recursive: true });
});

function agent(session: string, delayMs: number): Joined {
  const joined = joinAgent(fixture.server.url, session, delayMs);
  agents.push(joined);
  return joined;
}

async function device(): Promise<BrowserContext> {
  const context = await browser.newContext();
  context.setDefaultTimeout(30_000);
  contexts.push(context);
  return context;
}

/** Opens a chat; the page notes whenever a shown answer does anything but grow at its end. */
async function open(context: BrowserContext, session: string): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.addInitScript(() => {
    const broken: string[] = [];
    Object.assign(window, { broken });
    const held = new Map<number, string>();
    new MutationObserver(() => {
      for (const [index, line] of document.querySelectorAll("#messages li").entries()) {
        const text = line.textContent ?? "";
        if (!text.startsWith(held.get(index) ?? "")) broken.push(`${held.get(index)} | ${text}`);
        held.set(index, text);
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  const token = await makeToken({ sub: "ann", caps: { "*": ["user"] } });
  const hash = new URLSearchParams({ url: fixture.server.url, chat: session, token });
  await page.goto(`${site.url}#${hash}`);
  await page.waitForSelector("#status");
  return page;
}

async function ask(page: Page, text: string): Promise<void> {
  await page.fill("input", text);
  await page.click("text=Send");
}

function lines(page: Page): Promise<string[]> {
  return page.locator("#messages li").allTextContents();
}

async function shows(page: Page, wanted: string[]): Promise<void> {
  await until(
    () => lines(page),
    (shown) => JSON.stringify(shown) === JSON.stringify(wanted),
    `the page to show ${JSON.stringify(wanted)}`,
  );
}

async function begun(page: Page): Promise<string> {
  const shown = await until(
    () => lines(page),
    (all) => (all.at(-1) ?? "").length > 12 && all.length === 2,
    "the answer to have begun",
  );
  return shown.at(-1) ?? "";
}

async function turns(session: string): Promise<{ status: string; cancel?: unknown }[]> {
  const answer = await call(fixture.server, session, "GET", "/turns?status=all");
  return field(answer, "turns") as { status: string }[];
}

async function isWhole(session: string, joined: Joined, ...pages: Page[]): Promise<void> {
  for (const page of pages) {
    await shows(page, ["Hello", ANSWER]);
    const broken = await page.evaluate(() => (window as unknown as { broken: string[] }).broken);
    assert.deepEqual(broken, [], "an answer only ever grows");
  }
  assert.equal(joined.calls, 1, "the model was called once");
  await isComplete(session);
}

/** Nobody cancelled it. */
async function isComplete(session: string): Promise<void> {
  const [turn, ...others] = await until(
    () => turns(session),
    ([only]) => only?.status !== "active",
    "the turn to end",
  );
  assert.deepEqual([turn?.status, turn?.cancel, others], ["complete", undefined, []]);
}

describe("useChat", () => {
  test("a reload in mid-answer, and a second tab", async () => {
    const session = fixture.session();
    const joined = agent(session, 60);
    const context = await device();
    const page = await open(context, session);
    await ask(page, "Hello");
    await begun(page);
    await page.reload();
    const second = await open(context, session);
    await isWhole(session, joined, page, second);
  });

  test("away to another chat and back", async () => {
    const session = fixture.session();
    const joined = agent(session, 60);
    const page = await open(await device(), session);
    await ask(page, "Hello");
    await begun(page);
    await page.click(`#to-${session}-other`);
    await shows(page, []);
    await page.evaluate(() => {
      (window as unknown as { broken: string[] }).broken.length = 0;
    });
    await page.click(`#to-${session}`);
    await shows(page, ["Hello", ANSWER]);
    assert.equal(joined.calls, 1);
    await isComplete(session);
  });

  test("offline for ten seconds", async () => {
    const session = fixture.session();
    const joined = agent(session, 400);
    const context = await device();
    const page = await open(context, session);
    await ask(page, "Hello");
    await begun(page);
    await context.setOffline(true);
    await new Promise((done) => setTimeout(done, 10_000));
    await context.setOffline(false);
    await isWhole(session, joined, page);
  });

  test("stop after a resume stops, on every device", async () => {
    const session = fixture.session();
    // Slow enough for a reload and another device in the middle, on a busy machine too.
    const joined = agent(session, 1_000);
    const context = await device();
    const page = await open(context, session);
    await ask(page, "Hello");
    await begun(page);
    await page.reload();
    const phone = await open(await device(), session);
    await begun(phone);
    await begun(page);
    await phone.click("#stop");
    const [turn] = await until(
      () => turns(session),
      ([only]) => only?.status === "cancelled",
      "the turn to be cancelled",
    );
    assert.ok(turn?.cancel, "it says who asked");
    // Each to the end of its even pace.
    const [[, told = ""]] = await until(
      () => Promise.all([lines(phone), lines(page)]),
      ([one, other]) => one.length === 2 && JSON.stringify(one) === JSON.stringify(other),
      "both devices to show the same",
    );
    assert.ok(ANSWER.startsWith(told) && told !== ANSWER, told);
    assert.equal(joined.calls, 1);
  });

  test("a call that needs approval is allowed on another device", async () => {
    const session = fixture.session();
    const shop = shopOf([{ toolCallId: "call-1", item: "tea" }]);
    const joined = joinShop(fixture.server.url, session, shop);
    agents.push({ calls: 0, close: () => joined.agent.close() });
    const page = await open(await device(), session);
    await ask(page, "Hello");
    const phone = await open(await device(), session);
    await shows(phone, ["Hello", 'buy {"item":"tea"} AllowRefuse']);
    await phone.click("text=Allow");
    for (const it of [page, phone]) await shows(it, ["Hello", "It came to: json."]);
    assert.deepEqual(shop.bought, ["tea"]);
    await isComplete(session);
  });

  test("another answer is another branch, and the newest is shown", async () => {
    const session = fixture.session();
    const joined = agent(session, 1);
    const page = await open(await device(), session);
    await ask(page, "Hello");
    await shows(page, ["Hello", ANSWER]);
    await page.click("#again");
    await until(
      () => turns(session),
      (all) => all.length === 2 && all.every(({ status }) => status === "complete"),
      "a second answer",
    );
    await shows(page, ["Hello", ANSWER]);
    assert.equal(joined.calls, 2);
  });
});
