// Shared by the tests of pages on the SDK: a built page, devices that open it, and their content.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launch, type Site, serve } from "../support/browser.ts";
import { type Fixture, useServer } from "../support/fixture.ts";
import type { ServerOptions } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { until } from "../support/wait.ts";

/** A line of `#messages`, and how its message stands. */
export interface Line {
  text: string;
  state: string | undefined;
}

export interface Opened {
  page: Page;
  /** The WebSockets to the session that the page has opened. */
  sockets: string[];
  /** Its HTTP reads of the session: paths with their query. */
  reads: string[];
}

export interface Example {
  readonly fixture: Fixture;
  /** Where the page is that was built. */
  readonly directory: string;
  device(): Promise<BrowserContext>;
  /** Opens the page for a session, as `sub`, by way of `base`. */
  open(context: BrowserContext, session: string, options?: OpenOptions): Promise<Opened>;
}

export interface OpenOptions {
  sub?: string;
  base?: string;
  /** Another page than `index.html`. */
  path?: string;
  /** Further parameters behind the `#`. */
  more?: Record<string, string>;
}

/** A server, a browser, and the page that `build` puts into a directory; once for a file. */
export function useExample(
  build: (directory: string) => Promise<unknown>,
  options: ServerOptions = {},
): Example {
  const fixture = useServer(options);
  let site: Site | undefined;
  let browser: Browser | undefined;
  let directory = "";
  let contexts: BrowserContext[] = [];
  let errors: string[] = [];
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the browser has not started");
    return value;
  };
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "sessile-page-"));
    await build(directory);
    site = await serve(directory);
    browser = await launch();
  });
  afterEach(async () => {
    for (const context of contexts) await context.close();
    contexts = [];
    const found = errors;
    errors = [];
    assert.deepEqual(found, [], "no page has errors, nor has React a complaint");
  });
  after(async () => {
    await browser?.close();
    site?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    fixture,
    get directory() {
      return directory;
    },
    async device() {
      const context = await need(browser).newContext();
      context.setDefaultTimeout(30_000);
      contexts.push(context);
      return context;
    },
    async open(context, session, options = {}) {
      const { sub = "ann", base = fixture.server.url, path = "", more } = options;
      const page = await context.newPage();
      const opened: Opened = { page, sockets: [], reads: [] };
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        // A network that is away is what some tests are about; and no page has an icon.
        const isAway = /^Failed to load|WebSocket connection to/.test(message.text());
        if (message.type() === "error" && !isAway) errors.push(message.text());
      });
      page.on("websocket", (socket) => opened.sockets.push(socket.url()));
      page.on("request", (request) => {
        const [, path] = request.url().split(`/v1/sessions/${session}`);
        if (path !== undefined) opened.reads.push(path);
      });
      await page.addInitScript(watch);
      const token = await makeToken({ sub, caps: { "*": ["user"] } });
      const hash = new URLSearchParams({ url: base, session, token, ...more });
      await page.goto(`${need(site).url}${path}#${hash}`);
      return opened;
    },
  };
}

/** Runs in the page: notes when one message is shown twice, or one that was shown no longer is. */
function watch(): void {
  const broken: string[] = [];
  Object.assign(window, { broken });
  const held = new Set<string>();
  new MutationObserver(() => {
    const list = document.querySelector("#messages");
    if (!list) return;
    const texts = [...list.children].map(({ textContent }) => textContent ?? "");
    const once = texts.filter((text) => text.startsWith("once "));
    if (new Set(once).size < once.length) broken.push(`twice: ${once}`);
    for (const text of held) if (!once.includes(text)) broken.push(`gone: ${text}`);
    for (const text of once) held.add(text);
  }).observe(document, { childList: true, subtree: true, characterData: true });
}

/** Messages that begin with `once ` were never doubled, and stayed. */
export async function wasSteady(page: Page): Promise<void> {
  const broken = await page.evaluate(() => (window as unknown as { broken: string[] }).broken);
  assert.deepEqual(broken, []);
}

export function lines(page: Page): Promise<Line[]> {
  return page.locator("#messages > li").evaluateAll((items) =>
    items.map((item) => ({
      text: item.textContent ?? "",
      state: (item as HTMLElement).dataset.state,
    })),
  );
}

export async function texts(page: Page): Promise<string[]> {
  return (await lines(page)).map(({ text }) => text);
}

export async function shows(page: Page, wanted: readonly string[]): Promise<void> {
  await until(
    () => texts(page),
    (shown) => JSON.stringify(shown) === JSON.stringify(wanted),
    `the page to show ${JSON.stringify(wanted).slice(0, 300)}`,
  );
}

/** Waits until the last line is such. */
export async function ends(page: Page, text: string, state?: string): Promise<void> {
  await until(
    async () => (await lines(page)).at(-1),
    (line) => line?.text === text && line.state === state,
    `the page to end with ${text}, ${state}`,
  );
}

export async function says(page: Page, selector: string, text: string): Promise<void> {
  await until(
    () => page.locator(selector).allTextContents(),
    (found) => found.length === 1 && found[0] === text,
    `${selector} to say ${text}`,
  );
}

export async function send(page: Page, text: string): Promise<void> {
  await page.fill("input", text);
  await page.click("text=Send");
}
