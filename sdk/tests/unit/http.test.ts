// Reads over HTTP: what came too fast is asked for again (P14).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readJson } from "../../src/connection/http.ts";
import { TokenSource } from "../../src/connection/token.ts";

const TOO_FAST = { code: "rate-limited", status: 429, message: "too fast", retryAfterMs: 1 };

/** A session that refuses so many requests before it answers. */
function refusing(count: number, error: object = TOO_FAST) {
  let asked = 0;
  const get = (async () => {
    asked += 1;
    return asked > count ? Response.json({ turns: [] }) : Response.json({ error }, { status: 429 });
  }) as typeof fetch;
  const read = () => readJson("https://example.com/turns", new TokenSource("a.b.c"), get);
  return { read, asked: () => asked };
}

describe("a read that came too fast", () => {
  test("is asked for again when there is room for it", async () => {
    const { read, asked } = refusing(3);
    assert.deepEqual(await read(), { turns: [] });
    assert.equal(asked(), 4);
  });

  test("is given up in the end, with the refusal", async () => {
    const { read } = refusing(Infinity);
    await assert.rejects(read(), { code: "rate-limited" });
  });

  test("is no other refusal, which is told at once", async () => {
    const { read, asked } = refusing(1, { code: "not-found", status: 404, message: "no" });
    await assert.rejects(read(), { code: "not-found" });
    assert.equal(asked(), 1);
  });
});
