// Text that no session takes is repaired before it is sent (P1.3).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { wellFormed } from "../../src/index.ts";

const HALF = "\ud83d";
const WHOLE = "\u{1f600}";

describe("text becomes well-formed before it is sent (P1.3)", () => {
  test("half of a surrogate pair becomes U+FFFD, a whole one stays", () => {
    assert.equal(wellFormed(`a${HALF}`), "a\ufffd");
    assert.equal(wellFormed(`${HALF}b\ude00`), "\ufffdb\ufffd");
    assert.equal(wellFormed(WHOLE), WHOLE);
  });

  test("however deep it is, in keys too", () => {
    const value = { list: [{ text: HALF }, 1, null], [`key${HALF}`]: true };
    assert.deepEqual(wellFormed(value), {
      list: [{ text: "\ufffd" }, 1, null],
      "key\ufffd": true,
    });
  });

  test("nothing is copied that is right, nor a part of it", () => {
    const right = { a: [WHOLE, Number.NaN, undefined], b: { c: 1 } };
    assert.equal(wellFormed(right), right);
    const kept = { deep: [1] };
    const mended = wellFormed({ kept, text: HALF });
    assert.equal(mended.kept, kept);
  });

  test("what says by itself how it becomes JSON is looked at as that", () => {
    const at = new Date(0);
    assert.equal(wellFormed({ at }).at, at);
    const made = { toJSON: () => ({ text: "x" }) };
    assert.equal(wellFormed(made), made);
    assert.deepEqual(wellFormed({ toJSON: () => HALF }), "\ufffd");
    assert.equal(wellFormed(undefined), undefined);
  });

  test("a value that holds itself ends, however often, for JSON to refuse", () => {
    const circle: Record<string, unknown> = {};
    for (const key of "abcdefgh") circle[key] = circle;
    assert.equal(wellFormed(circle), circle);
  });
});
