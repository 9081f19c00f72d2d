// The findings of axe-core on a page, in all of its frames.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Frame, Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  impact: string | null;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** Fails if axe has a serious finding on the page as it is now; `state` names it. */
export async function assertAccessible(page: Page, state: string): Promise<void> {
  // An animation is not what a page looks like.
  await page.emulateMedia({ reducedMotion: "reduce" });
  const found: string[] = [];
  for (const frame of page.frames()) {
    for (const { id, impact, help, nodes } of await violationsIn(frame)) {
      if (impact !== "serious" && impact !== "critical") continue;
      const where = nodes.map(({ html, failureSummary }) => `    ${html}\n    ${failureSummary}`);
      found.push(`${frame.url()}: ${id} (${impact}): ${help}\n${where.join("\n")}`);
    }
  }
  assert.deepEqual(found, [], `axe on ${state}:\n${found.join("\n")}`);
}

async function violationsIn(frame: Frame): Promise<Violation[]> {
  // As source, since the pages run no script of others.
  await frame.evaluate(SOURCE);
  return frame.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(of: Document, options: object): Promise<{ violations: Violation[] }> };
    };
    const { violations } = await axe.run(document, { iframes: false });
    return violations;
  });
}
