// That a page is no wider than its window.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";

/** Fails if the page can be scrolled sideways, and says by which elements; `state` names it. */
export async function assertNotTooWide(page: Page, state: string): Promise<void> {
  const { beyond, by } = await page.evaluate(() => {
    const most = document.documentElement.clientWidth;
    const clips = (one: Element) => getComputedStyle(one).overflowX !== "visible";
    // Those in a box that scrolls or clips by itself make no page wider.
    const isFree = (one: Element): boolean => {
      const parent = one.parentElement;
      return !parent || parent === document.body || (!clips(parent) && isFree(parent));
    };
    const wide = [...document.body.querySelectorAll("*")].filter((one) => {
      const { left, right } = one.getBoundingClientRect();
      return isFree(one) && (clips(one) ? right : Math.max(right, left + one.scrollWidth)) > most;
    });
    return {
      beyond: document.documentElement.scrollWidth - most,
      by: wide.slice(-5).map((one) => one.outerHTML.slice(0, 200)),
    };
  });
  assert.ok(beyond <= 0, `${state} is ${beyond} pixels too wide, by:\n${by.join("\n")}`);
}
