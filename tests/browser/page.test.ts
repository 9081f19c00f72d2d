// The page of `pages/demo` as a person sees it, in a real Chromium, with a scripted agent beside
// it.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launch } from "../support/browser.ts";
import { type Client, connect } from "../support/client.ts";
import { Dev } from "../support/dev.ts";
import { getMessage } from "../support/http.ts";
import { CuttingProxy } from "../support/proxy.ts";
import { token, tokens } from "../support/random.ts";
import { assertText } from "../support/text.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

let dev: Dev;
let browser: Browser;
let contexts: BrowserContext[] = [];
let count = 0;

before(async () => {
  dev = await Dev.begin();
  browser = await launch();
});

afterEach(async () => {
  for (const context of contexts) await context.close();
  contexts = [];
});

after(async () => {
  await browser?.close();
  await dev?.end();
});

function freshSession(): string {
  count += 1;
  return `page-${count}`;
}

async function device(): Promise<BrowserContext> {
  const context = await browser.newContext();
  context.setDefaultTimeout(30_000);
  contexts.push(context);
  return context;
}

async function open(context: BrowserContext, session: string, base = dev.url): Promise<Page> {
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  const user = await makeToken({ sub: "ann", caps: { [session]: ["user"] } });
  await page.goto(`${base}/#session=${session}&token=${user}`);
  await page.waitForFunction(() => {
    const state = document.getElementById("state")?.textContent ?? "";
    return /attached|resumed/.test(state);
  });
  assert.deepEqual(errors, [], "the page has no errors");
  return page;
}

function textOn(page: Page, serial: string): Promise<string | null> {
  return page.evaluate((wanted) => {
    const message = document.querySelector(`[data-serial="${wanted}"] .text`);
    return message === null ? null : message.textContent;
  }, serial);
}

async function shows(page: Page, serial: string, text: string): Promise<void> {
  await until(
    () => textOn(page, serial),
    (shown) => shown === text,
    "the page to show the text",
  );
}

/** From now on the page notes if the text of a message ever does anything but grow at its end. */
async function watchGrowth(page: Page, serial: string): Promise<() => Promise<string[]>> {
  await page.evaluate((wanted) => {
    const found: string[] = [];
    Object.assign(window, { notGrown: found });
    const read = (): string =>
      document.querySelector(`[data-serial="${wanted}"] .text`)?.textContent ?? "";
    let held = read();
    new MutationObserver(() => {
      const text = read();
      if (!text.startsWith(held)) found.push(`${held.slice(-40)} became ${text.slice(-40)}`);
      held = text;
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  }, serial);
  return () => page.evaluate(() => (window as unknown as { notGrown: string[] }).notGrown);
}

/** Streams the tokens from `first` to `last`, each acknowledged, so that the test sets the pace. */
async function say(agent: Client, serial: string, first: number, last: number): Promise<string> {
  for (let seq = first; seq <= last; seq += 1) {
    await agent.ok({ type: "append", serial, data: token(seq - 1), seq });
  }
  return tokens(last).join("");
}

describe("the page", () => {
  test("shows the answer stream, continues after a reload, a second tab has the same", async () => {
    const session = freshSession();
    const agent = await connect(dev, session, { sub: "agent", caps: { "*": ["agent"] } });
    const serial = await agent.publish("", { role: "assistant", status: "streaming" });
    const one = await device();
    const page = await open(one, session);
    const grown = await watchGrowth(page, serial);
    await shows(page, serial, await say(agent, serial, 1, 60));
    assert.deepEqual(await grown(), [], "it only ever grew");
    // Tokens go on while the page is away.
    const [, text] = await Promise.all([page.reload(), say(agent, serial, 61, 120)]);
    await shows(page, serial, text);
    const still = await watchGrowth(page, serial);
    const second = await open(one, session);
    const otherDevice = await open(await device(), session);
    await say(agent, serial, 121, 180);
    await agent.ok({ type: "append", serial, data: "end", seq: 181, status: "complete" });
    const whole = `${tokens(180).join("")}end`;
    for (const each of [page, second, otherDevice]) await shows(each, serial, whole);
    assert.deepEqual(await still(), [], "no gap and no repeat while it was watched");
    assertText((await getMessage(dev, session, serial)).data, whole);
    assert.equal(await page.locator("#messages [data-serial]").count(), 1);
  });

  test("goes offline by its button and comes back without a gap", async () => {
    const session = freshSession();
    const agent = await connect(dev, session, { sub: "agent", caps: { "*": ["agent"] } });
    const serial = await agent.publish("", { role: "assistant", status: "streaming" });
    const page = await open(await device(), session);
    await shows(page, serial, await say(agent, serial, 1, 30));
    const grown = await watchGrowth(page, serial);
    await page.click("#drop");
    await page.waitForFunction(() => document.querySelector("#state")?.textContent === "offline");
    const position = await page.textContent("#position");
    const text = await say(agent, serial, 31, 90);
    assert.equal(await textOn(page, serial), tokens(30).join(""), "nothing comes while offline");
    assert.equal(await page.textContent("#position"), position);
    await page.click("#drop");
    await page.waitForFunction(() => document.querySelector("#state")?.textContent === "resumed");
    await shows(page, serial, text);
    assert.notEqual(await page.textContent("#position"), position);
    assert.deepEqual(await grown(), [], "it went on where it had stopped");
  });

  test("survives a network that goes without a goodbye", async () => {
    const session = freshSession();
    const agent = await connect(dev, session, { sub: "agent", caps: { "*": ["agent"] } });
    const serial = await agent.publish("", { role: "assistant", status: "streaming" });
    const proxy = await CuttingProxy.start(dev.port);
    try {
      const page = await open(await device(), session, proxy.url);
      await shows(page, serial, await say(agent, serial, 1, 20));
      const grown = await watchGrowth(page, serial);
      proxy.unplug();
      await page.waitForFunction(() => {
        const state = document.querySelector("#state")?.textContent ?? "";
        return !/attached|resumed/.test(state);
      });
      const text = await say(agent, serial, 21, 60);
      proxy.plug();
      await shows(page, serial, text);
      assert.deepEqual(await grown(), []);
      await page.close();
    } finally {
      await proxy.stop();
    }
  });

  test("sends what a person writes, once, and shows it", async () => {
    const session = freshSession();
    const agent = await connect(dev, session, { sub: "agent", caps: { "*": ["agent"] } });
    const page = await open(await device(), session);
    const written = 'Grüße \u{1f469}\u200d\u{1f680} <b id="evil">bold</b>';
    await page.fill("#input", written);
    await page.click("#send");
    const { message } = await agent.next("message.create");
    assert.deepEqual([message?.data, message?.client], [written, "ann"]);
    await shows(page, message?.serial ?? "", written);
    assert.equal(await page.locator("#messages [data-serial]").count(), 1, "no echo doubles it");
    assert.equal(await page.locator("#evil").count(), 0, "text is text, never markup");
    assert.equal(await page.inputValue("#input"), "");
  });
});
