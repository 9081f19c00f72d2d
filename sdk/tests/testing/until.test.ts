// `until`: it looks at every change, and says what there was instead.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../src/testing/index.ts";

function counter() {
  const listeners = new Set<() => void>();
  let count = 0;
  return {
    listeners,
    getSnapshot: () => count,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    grow: () => {
      count += 1;
      for (const listener of listeners) listener();
    },
  };
}

test("is so at once, or with a change, and then it looks no more", async () => {
  const shown = counter();
  assert.equal(await until(shown, (count) => count === 0), 0);
  const two = until(shown, (count) => count === 2);
  shown.grow();
  shown.grow();
  shown.grow();
  assert.equal(await two, 2);
  assert.equal(shown.listeners.size, 0);
});

test("gives up, and tells what it shows", async () => {
  const shown = counter();
  const message = /shows 0$/;
  await assert.rejects(
    until(shown, () => false, 1),
    { code: "timeout", message },
  );
  const failing = until(shown, () => {
    throw new Error("a mistake of the test");
  });
  await assert.rejects(failing, /a mistake of the test/);
  assert.equal(shown.listeners.size, 0);
});
