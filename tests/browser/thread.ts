// Shared by the tests of pages/thread and pages/agent: a page with a conversation, its style, and
// the scripted agents in a worker, as the pages have them.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { assertAccessible } from "../support/axe.ts";
import type { Fixture } from "../support/fixture.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { type Example, type OpenOptions, useExample } from "./example.ts";

const DOCUMENT = `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>A conversation</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script></head><body></body></html>`;

/** Builds the page into a directory. */
export async function buildThread(directory: string): Promise<void> {
  const site = join(ROOT, "scripts", "site.mjs");
  const { pageOptions } = (await import(site)) as { pageOptions(): BuildOptions };
  await build({
    ...pageOptions(),
    entryPoints: {
      page: join(ROOT, "tests", "browser", "thread-page.tsx"),
      agent: join(ROOT, "pages", "agent", "worker.ts"),
    },
    outdir: directory,
    splitting: true,
  });
  writeFileSync(join(directory, "index.html"), DOCUMENT);
}

export interface TalkOptions extends OpenOptions {
  context?: BrowserContext;
  /** Whether the page need not be connected yet. */
  isAway?: boolean;
}

export interface Talk {
  readonly fixture: Fixture;
  readonly example: Example;
  /** A page of a session, by default on a device of its own. */
  open(session: string, options?: TalkOptions): Promise<Page>;
  /** A page with the agents beside it, in a new session. */
  begin(): Promise<{ page: Page; session: string }>;
}

/** A server, a browser and the page; once for a file. */
export function useTalk(): Talk {
  const example = useExample(buildThread);
  const { fixture } = example;
  const open: Talk["open"] = async (session, { context, isAway, ...options } = {}) => {
    const { page } = await example.open(context ?? (await example.device()), session, options);
    if (!isAway) await page.locator("output", { hasText: /^connected$/ }).waitFor();
    return page;
  };
  const begin: Talk["begin"] = async () => {
    const session = fixture.cutSession();
    const page = await open(session);
    await startAgents(page, fixture.server.url, session);
    await page.locator(".people", { hasText: "Guide" }).waitFor();
    return { page, session };
  };
  return { fixture, example, open, begin };
}

/** Writes a message. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until the text of an answer has more than so many characters. */
export async function grows(page: Page, more: number, at = 0): Promise<void> {
  await page.waitForFunction(
    ([place, least]) => {
      const text = document.querySelectorAll(".answer")[place ?? 0]?.querySelector(".text");
      return (text?.textContent ?? "").length > (least ?? 0);
    },
    [at, more] as const,
  );
}

/** Waits until an answer stands so. */
export async function stands(page: Page, status: string, at = 0): Promise<void> {
  await page.waitForFunction(
    ([place, wanted]) =>
      document.querySelectorAll(".answer")[Number(place)]?.getAttribute("data-status") === wanted,
    [String(at), status] as const,
    { timeout: 60_000 },
  );
}

/** Fails if axe has a serious finding on the page as it is now, in either theme. */
export async function usable(page: Page, what: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await assertAccessible(page, `${what}, ${colorScheme}`);
  }
}

const CLIENTS = ["guide", "flights", "hotels", "activities"];
const NAMES = ["Guide", "Flights", "Hotels", "Activities"];

/** Starts the agents in a worker of a page. */
export async function startAgents(page: Page, url: string, session: string): Promise<void> {
  const tokens: Record<string, string> = {};
  for (const [at, sub] of CLIENTS.entries()) {
    const name = NAMES[at] ?? sub;
    tokens[sub] = await makeToken({ sub, name, role: "agent", caps: { [session]: ["agent"] } });
  }
  await page.evaluate(
    (start) => {
      const agents = new Worker("agent.js", { type: "module" });
      const told: unknown[] = [];
      agents.onmessage = ({ data }) => told.push(data);
      agents.postMessage({ type: "start", ...start });
      Object.assign(window, { agents, told });
    },
    { url, session, tokens },
  );
}

/** Kills them, as a crash would. */
export async function killAgents(page: Page): Promise<void> {
  await page.evaluate(() => (window as unknown as { agents: Worker }).agents.terminate());
}
