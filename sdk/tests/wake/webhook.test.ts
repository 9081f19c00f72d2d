// The door of an agent that is called: which calls pass it, without a session behind it (P10.3).

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { nodeListener, serveWebhook, type Waking } from "../../src/wake/index.ts";
import { isSigned } from "../../src/wake/webhook.ts";
import { OTHER, SECRET, signed } from "./signed.ts";

const WAKING: Waking = { id: "w-1", session: "s", input: "aaaa00000001", at: 1 };
const MINUTE = 60_000;

/** A door behind which nothing can be reached: a call that passes it is told to come again. */
function door(secret: string | string[] = SECRET) {
  const errors: unknown[] = [];
  const serve = serveWebhook(() => assert.fail("there is no session"), {
    url: "https://nowhere.example",
    secret,
    token: "e30.e30.x",
    link: () => {
      throw new TypeError("fetch failed");
    },
    onError: (error) => errors.push(error),
  });
  return { serve, errors };
}

const status = async (request: Request, secret?: string | string[]) =>
  (await door(secret).serve(request)).status;

const PASSED = 503;

describe("a webhook", () => {
  test("passes what the secret signed, and nothing altered, old or unsigned", async () => {
    const now = Date.now();
    const text = JSON.stringify({ type: "input", ...WAKING });
    const altered = text.replace('"s"', '"t"');
    for (const [request, wanted] of [
      [signed(WAKING), PASSED],
      [signed(WAKING, { at: new Date(now - 4 * MINUTE) }), PASSED],
      [signed(WAKING, { at: new Date(now - 6 * MINUTE) }), 401],
      [signed(WAKING, { at: new Date(now + 6 * MINUTE) }), 401],
      [signed(WAKING, { body: altered }), 401],
      [signed(WAKING, { secrets: [] }), 401],
      [signed(WAKING, { secrets: [OTHER] }), 401],
    ] as const) {
      assert.equal(await status(request), wanted, JSON.stringify([...request.headers]));
    }
    const moved = signed(WAKING);
    moved.headers.set("webhook-id", "w-2");
    assert.equal(await status(moved), 401, "an id is signed as well");
  });

  test("takes either secret while one takes the other's place, at both ends", async () => {
    for (const secret of [`${SECRET} ${OTHER}`, [OTHER, SECRET]]) {
      assert.equal(await status(signed(WAKING, { secrets: [SECRET] }), secret), PASSED);
      assert.equal(await status(signed(WAKING, { secrets: [OTHER] }), secret), PASSED);
    }
    assert.equal(await status(signed(WAKING, { secrets: [OTHER, SECRET] })), PASSED);
    assert.throws(() => isSigned("", new Headers(), "whsec_"), /empty/);
  });

  test("refuses what is no input, and what is too long to be one", async () => {
    for (const [waking, wanted] of [
      [{ ...WAKING, session: "" }, 400],
      [{ id: "w-1", session: "s", at: 1 }, 400],
      [{ ...WAKING, type: "turn.end" } as Waking, 400],
      [{ ...WAKING, input: "x".repeat(20_000) }, 413],
    ] as const) {
      assert.equal(await status(signed(waking)), wanted, JSON.stringify(waking).slice(0, 80));
    }
    const got = await door().serve(new Request("https://agent.example/"));
    assert.deepEqual([got.status, got.headers.get("allow")], [405, "POST"]);
  });

  test("asks to be called again where the session cannot be reached, each time", async () => {
    const { serve, errors } = door();
    assert.equal((await serve(signed(WAKING))).status, 503);
    assert.equal((await serve(signed(WAKING))).status, 503, "it is not taken for a repeat");
    assert.equal(errors.length, 2);
  });
});

describe("in Node's http module", () => {
  test("a webhook is served, headers, status and all", async (t) => {
    const server = createServer(nodeListener(door().serve));
    t.after(() => server.close());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/any/path?x=1`;
    const call = async (request: Request, change: RequestInit = {}) => {
      const { method, headers } = request;
      const response = await fetch(url, { method, headers, body: await request.text(), ...change });
      return [response.status, await response.text()];
    };
    assert.equal((await call(signed(WAKING)))[0], PASSED);
    const refused = "unable to wake the agent; the signature is not valid\n";
    assert.deepEqual(await call(signed(WAKING, { secrets: [OTHER] })), [401, refused]);
    assert.equal((await call(signed(WAKING), { body: "x".repeat(40_000) }))[0], 413);
    const got = await fetch(url);
    assert.deepEqual([got.status, got.headers.get("allow")], [405, "POST"]);
  });
});
