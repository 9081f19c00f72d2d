// The inspector's page on a server of its own, in a real Chromium.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { launch } from "./browser.ts";
import { Front } from "./front.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";
import { makeToken, type TokenOptions } from "./token.ts";
import { until } from "./wait.ts";

/** Somebody who may inspect everything. */
export const OPS = { sub: "ops", caps: { "*": ["admin"] } };

export interface OpenOptions extends BrowserContextOptions {
  /** The visitor's token; by default that of `OPS`, with `null` none. */
  token?: TokenOptions | null;
}

export interface Inspectors {
  readonly server: Server;
  readonly front: Front;
  /** A page on a session, given as it stands in the address. */
  open: (session: string, options?: OpenOptions) => Promise<Page>;
  /** Errors of all pages so far: scripts that failed, and what the CSP refused. */
  readonly errors: string[];
}

/** One server and one browser for a file. */
export function useInspector(options: ServerOptions = {}): Inspectors {
  let server: Server | undefined;
  let front: Front | undefined;
  let browser: Browser | undefined;
  const errors: string[] = [];
  const contexts: { close(): Promise<void> }[] = [];
  before(async () => {
    server = await startServer(options);
    front = await Front.start(server);
    browser = await launch();
  });
  afterEach(async () => {
    front?.goOnline();
    for (const context of contexts.splice(0)) await context.close();
    assert.deepEqual(errors.splice(0), [], "no page has an error");
  });
  after(async () => {
    await browser?.close();
    front?.stop();
    await server?.stop();
  });
  const need = <It>(it: It | undefined): It => {
    if (it === undefined) throw new Error("nothing has started");
    return it;
  };
  return {
    errors,
    get server() {
      return need(server);
    },
    get front() {
      return need(front);
    },
    async open(session, { token = OPS, ...rest } = {}) {
      const context = await need(browser).newContext({
        viewport: { width: 1280, height: 900 },
        ...rest,
      });
      contexts.push(context);
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        if (/Content Security Policy|React/.test(message.text())) errors.push(message.text());
      });
      const hash = token === null ? "" : `#token=${await makeToken(token)}`;
      await page.goto(`${need(front).url}/inspect/${session}${hash}`);
      return page;
    },
  };
}

/** A part of the page by its title. */
export function part(page: Page, title: string): Locator {
  return page.getByRole("region", { name: title, exact: true });
}

/** Waits for a sentence of the summary; gives it as the page shows it. */
export function finding(page: Page, words: RegExp): Promise<string> {
  return until(
    async () => (await part(page, "Summary").getByRole("listitem").allTextContents()).map(oneLine),
    (all) => all.some((text) => words.test(text)),
    `a finding like ${words}`,
  ).then((all) => all.find((text) => words.test(text)) ?? "");
}

/** Text as one line. */
export function oneLine(text: string | null): string {
  return (text ?? "").replace(/\s+/g, " ").trim();
}

/** The rows of a table as the texts of their cells. */
export async function rows(table: Locator): Promise<string[][]> {
  await table.locator("tbody tr").first().waitFor();
  // In one step, since the page may draw another row between two.
  const all = await table
    .locator("tbody tr")
    .evaluateAll((each) =>
      each.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)),
    );
  return all.map((row) => row.map(oneLine));
}

/** The time between the edges of the timeline, as the page says it. */
export async function width(page: Page): Promise<string> {
  const words = await part(page, "Timeline").locator(".timeline-tools .quiet").textContent();
  return oneLine(words);
}

/** Waits until the timeline shows another time; gives it. */
export function moves(page: Page, from: string): Promise<string> {
  return until(
    () => width(page),
    (now) => now !== from,
    `the timeline to move from ${from}`,
  );
}

/** Waits until it shows that time again. */
export function returns(page: Page, to: string): Promise<string> {
  return until(
    () => width(page),
    (now) => now === to,
    `the timeline to show ${to}`,
  );
}
