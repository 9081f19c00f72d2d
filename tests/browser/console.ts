// Shared by the tests of pages/console: the Worker with its pages, supervisors with a browser each,
// and the sessions of a shop: a customer, an agent, and what it asks.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launch } from "../support/browser.ts";
import { type Client, connect } from "../support/client.ts";
import { Dev } from "../support/dev.ts";
import type { Turn } from "../support/frames.ts";
import { call } from "../support/http.ts";
import { makeToken, type TokenOptions } from "../support/token.ts";
import { start } from "../support/turns.ts";
import { until } from "../support/wait.ts";

export const SUE = { sub: "sue", name: "Sue Park", caps: { "*": ["supervisor"] } };
export const TOM = { sub: "tom", name: "Tom", caps: { "*": ["supervisor"] } };
export const ANN = { sub: "ann", name: "Ann Lee", caps: { "*": ["user"] } };
export const BOT = { sub: "refunds", name: "Refunds", caps: { "*": ["agent"] } };

export interface OpenOptions {
  /** Behind the `#`, beside the token. */
  hash?: string;
  /** Another way to the server, such as a proxy. */
  base?: string;
  /** No token in the address: the page asks the local Worker for one. */
  isLocal?: boolean;
  context?: BrowserContextOptions;
}

/** A session in which a customer has said something, and an agent has begun to answer. */
export interface Case {
  id: string;
  ann: Client;
  bot: Client;
  turn: Turn;
}

export interface Console {
  readonly dev: Dev;
  /** Opens the page as somebody, in a browser of their own. */
  open(as?: TokenOptions, options?: OpenOptions): Promise<Page>;
  /** A name that nobody used. */
  session(): string;
  /** Begins a session, with a title. */
  begin(title: string): Promise<Case>;
}

/** One server and one browser for a file. */
export function useConsole(): Console {
  let dev: Dev | undefined;
  let browser: Browser | undefined;
  let count = 0;
  let ends: (() => Promise<unknown>)[] = [];
  let errors: string[] = [];
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the console has not started");
    return value;
  };
  before(async () => {
    dev = await Dev.begin({ SESSILE_DEV: "1" });
    browser = await launch();
  });
  afterEach(async () => {
    for (const end of ends) await end();
    ends = [];
    const found = errors;
    errors = [];
    assert.deepEqual(found, [], "no page has errors");
  });
  after(async () => {
    await browser?.close();
    await dev?.end();
  });
  const session = () => {
    count += 1;
    return `case-${count}`;
  };
  const join = async (id: string, as: TokenOptions) => {
    const client = await connect(need(dev), id, as);
    ends.push(async () => client.isClosed || client.close());
    return client;
  };
  return {
    get dev() {
      return need(dev);
    },
    session,
    async open(as = SUE, { hash = "", base = need(dev).url, isLocal, context } = {}) {
      const own = await need(browser).newContext(context);
      own.setDefaultTimeout(30_000);
      ends.push(() => own.close());
      const page = await own.newPage();
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        // A network that is away, and a token that is refused, are what some tests are about.
        const isAway = /^Failed to load|WebSocket connection to/.test(message.text());
        if (message.type() === "error" && !isAway) errors.push(message.text());
      });
      const token = isLocal ? [] : [`token=${await makeToken(as)}`];
      await page.goto(`${base}/console#${[hash, ...token].filter(Boolean).join("&")}`);
      return page;
    },
    async begin(title) {
      const id = session();
      await settle(need(dev), id, { title });
      const [ann, bot] = [await join(id, ANN), await join(id, BOT)];
      const input = await ann.publish("I would like my money back.");
      const turn = await start(bot, { input, leaseMs: 600_000 });
      return { id, ann, bot, turn };
    },
  };
}

async function settle(dev: Dev, id: string, settings: Record<string, unknown>): Promise<void> {
  const { status, text } = await call(dev, id, "PATCH", "", { json: { settings } });
  assert.equal(status, 200, text);
}

/** The agent asks, as `approval.request` says, by default the supervisors. */
export async function ask(
  { bot, turn }: Pick<Case, "bot" | "turn">,
  asked: Record<string, unknown>,
): Promise<string> {
  const { approval } = (await bot.ok({
    ...{ type: "approval.request", turn: turn.id, assignees: ["role:supervisor"] },
    ...asked,
  })) as { approval?: { id: string } };
  return approval?.id ?? "";
}

/** The frame that tells how an approval ended. */
export async function decided(client: Client): Promise<Record<string, unknown>> {
  const { approval } = (await client.next("approval.decide")) as unknown as {
    approval: Record<string, unknown>;
  };
  return approval;
}

/** The titles of the list, as they are drawn. */
export function titles(page: Page): Promise<string[]> {
  return page.locator(".line .line-title").allTextContents();
}

/** Waits until the list is these. */
export async function lists(page: Page, wanted: readonly string[]): Promise<void> {
  await until(
    () => titles(page),
    (found) => JSON.stringify(found) === JSON.stringify(wanted),
    `the list to be ${JSON.stringify(wanted)}`,
  );
}

/** Waits until a text is seen. */
export async function reads(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

/** The name of the element that has the focus. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement } = document;
    const label = activeElement?.getAttribute("aria-label");
    return label ?? activeElement?.textContent ?? "";
  });
}

/** Waits until the focus is on an element of that name, or one that holds it. */
export async function focuses(page: Page, name: string | RegExp): Promise<void> {
  const isIt = (found: string) => (typeof name === "string" ? found === name : name.test(found));
  await until(() => focused(page), isIt, `the focus to be on ${name}`);
}

/** Presses keys, one after the other. */
export async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Opens a dialog by its key: once the one before it is gone, until this one has the focus. */
export async function opens(page: Page, key: string): Promise<void> {
  await page.locator("dialog").waitFor({ state: "detached" });
  await press(page, key);
  await page.locator("dialog :focus").waitFor();
}
