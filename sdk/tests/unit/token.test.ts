// The tokens that an application gives, and mistakes in their place.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TokenSource } from "../../src/connection/token.ts";

describe("what is no token is named", () => {
  const wrong: [unknown, RegExp][] = [
    ["<!doctype html><title>Sign in</title>", /gave HTML: "<!doctype html>/],
    ['{"token":"a.b.c"}', /gave JSON: /],
    [`<p>${"a".repeat(100)}`, /gave HTML: "<p>a+…; it has to be/],
    [{ token: "a.b.c" }, /gave an object with a token in it: give that/],
    [{ jwt: "a.b.c" }, /gave no text: \{"jwt":/],
    [new Response("Bad Gateway", { status: 502 }), /gave a Response \(502\): give its text/],
    ["Bearer a.b.c", /gave no JWT: "Bearer /],
    ["a.b.c\n", /gave no JWT: "a.b.c\\n"/],
    ["", /gave no JWT: ""/],
    [undefined, /gave no text: undefined/],
    [null, /gave no text: null/],
  ];
  for (const [given, message] of wrong) {
    test(String(message), async () => {
      const source = new TokenSource(() => given as string);
      await assert.rejects(source.get(), { code: "token-failed", message });
    });
  }

  test("a function that fails is named, with what it said", async () => {
    const source = new TokenSource(() => JSON.parse("<html>"));
    await assert.rejects(source.get(), {
      code: "token-failed",
      message: /SyntaxError.*gives no JSON/,
    });
  });
});
