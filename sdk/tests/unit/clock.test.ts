// How long a token serves, whatever the clock of the device says (P2.6).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Expiry, lastsMs as lastsFrom } from "../../src/connection/clock.ts";
import { TokenSource } from "../../src/connection/token.ts";

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;

/** With tokens that are replaced 30 s before they end. */
function lastsMs(expiry: Expiry, tokens: Pick<TokenSource, "last" | "ageMs">, now: number): number {
  return lastsFrom(expiry, tokens, now, 30_000);
}

function token(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
}

/** A token that was made at a time of the session's clock, for an hour. */
function made(at: number, forMs = HOUR): { last: string; expiresAt: number } {
  const expiresAt = at + forMs;
  return { last: token({ iat: at / 1000, exp: expiresAt / 1000 }), expiresAt };
}

describe("how long a token serves", () => {
  test("by the device's clock where that can be right", () => {
    const { last, expiresAt } = made(NOW - HOUR / 2);
    assert.equal(lastsMs({ expiresAt }, { last, ageMs: Infinity }, NOW), HOUR / 2);
  });

  test("by how long it was made for, where the clock is hours ahead or behind", () => {
    const { last, expiresAt } = made(NOW);
    for (const offMs of [2 * HOUR, -2 * HOUR]) {
      assert.equal(lastsMs({ expiresAt }, { last, ageMs: Infinity }, NOW + offMs), HOUR);
    }
  });

  test("no shorter than a token that was made since the last one can", () => {
    const { last, expiresAt } = made(NOW);
    const almost = NOW + HOUR - 5_000;
    assert.equal(lastsMs({ expiresAt }, { last, ageMs: Infinity }, almost), 5_000);
    assert.equal(lastsMs({ expiresAt }, { last, ageMs: 60_000 }, almost), HOUR - 60_000);
  });

  test("by the session's own clock, where it says what time it is", () => {
    const { last, expiresAt } = made(NOW - HOUR / 2);
    const told = { expiresAt, at: NOW };
    assert.equal(lastsMs(told, { last, ageMs: 0 }, NOW + 5 * HOUR), HOUR / 2);
  });

  test("unknown, where the token does not say and the clock is wrong", () => {
    const last = token({ exp: NOW / 1000 });
    assert.equal(lastsMs({ expiresAt: NOW }, { last, ageMs: Infinity }, NOW + HOUR), Infinity);
    const soon = { expiresAt: NOW + 5_000 };
    assert.equal(lastsMs(soon, { last, ageMs: Infinity }, NOW), Infinity, "or renewed for ever");
    assert.equal(lastsMs({ expiresAt: NOW + HOUR }, { last, ageMs: Infinity }, NOW), HOUR);
    const opaque = { last: "a.b.c", ageMs: Infinity };
    assert.equal(lastsMs({ expiresAt: NOW }, opaque, NOW + HOUR), Infinity);
  });

  test("a source knows how old its newest token is at most", async () => {
    const tokens = [made(NOW).last, made(NOW).last, made(NOW + 1000).last];
    const source = new TokenSource(() => tokens.shift() ?? "");
    await source.get();
    assert.equal(source.ageMs, Infinity);
    await source.get();
    assert.equal(source.ageMs, Infinity, "it is the same");
    await source.get();
    assert.ok(source.ageMs < 10_000, "it was made since");
  });
});

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
