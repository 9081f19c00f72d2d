// Long texts compared so that a failure shows where they part, and not all of both.

import assert from "node:assert/strict";

const AROUND = 60;

/** Fails with the first place at which the texts differ. */
export function assertText(actual: unknown, expected: string, what = "the text"): void {
  if (actual === expected) return;
  assert.equal(typeof actual, "string", `${what} is no text: ${JSON.stringify(actual)}`);
  const text = String(actual);
  let at = 0;
  while (at < text.length && text[at] === expected[at]) at += 1;
  const show = (from: string) => JSON.stringify(from.slice(Math.max(0, at - AROUND), at + AROUND));
  assert.fail(
    `${what} differs at ${at} of ${expected.length} (it has ${text.length}):` +
      ` ${show(text)} should be ${show(expected)}`,
  );
}
