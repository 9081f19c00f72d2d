// Shared by the tests of pages/thread and pages/agent: a page with a conversation, its style, and the
// scripted agents in a worker, as the pages have them.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import type { Page } from "playwright-core";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";

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
