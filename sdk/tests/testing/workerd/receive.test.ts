// Calls of the session layer: they come signed, again when they fail, and may wake an agent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serveWebhook } from "../../../src/wake/index.ts";
import { shows } from "../../support.ts";
import { agent, page, start } from "../support.ts";

test("hooks hear what a session's settings name", async (t) => {
  const sessile = await start(t);
  const hooks = await sessile.receive();
  await sessile.configure("chat", { hooks: [{ url: hooks.url, events: ["turn.end"] }] });
  await agent(t, sessile, "chat", (turn) => turn.message("done"));
  const ada = await page(t, sessile, "chat");
  await ada.send("go");
  const { type, session, body, id, headers } = await hooks.next();
  assert.deepEqual([type, session], ["turn.end", "chat"]);
  assert.equal(body.turn, ada.turns[0]?.id);
  assert.equal(headers.get("webhook-id"), id);
  await assert.rejects(hooks.next(undefined, 1), { code: "timeout", message: /turn\.end/ });
});

test("a call that fails comes again at its time, which need not pass", async (t) => {
  const sessile = await start(t);
  let isUp = false;
  const hooks = await sessile.receive(() => new Response(null, { status: isUp ? 204 : 500 }));
  await sessile.configure("chat", { hooks: [{ url: hooks.url, events: ["turn.end"] }] });
  await agent(t, sessile, "chat", (turn) => turn.message("done"));
  await (await page(t, sessile, "chat")).send("go");
  const first = await hooks.next();
  isUp = true;
  await sessile.clock.advance(3_600_000);
  const again = await hooks.next();
  assert.equal(again.id, first.id);
  assert.equal(hooks.unsigned, 0, "the signature is good by the clock that was moved");
});

test("serveWebhook of sessile/wake answers there, as in its server", async (t) => {
  const sessile = await start(t);
  const woken = await sessile.receive(
    serveWebhook((turn) => turn.message("awake"), { url: sessile.url, secret: sessile.secret }),
  );
  await sessile.configure("chat", { agent: { url: woken.url, token: true } });
  const ada = await page(t, sessile, "chat");
  await ada.send("hello?");
  // Until the turn is over: its agent would look for a session layer that has stopped.
  await shows(ada, ({ turns }) => turns[0]?.status === "complete", "the answer");
  assert.equal(ada.messages.at(-1)?.data, "awake");
  assert.equal((await woken.next()).type, "input");
});

test("a call without a good signature is refused, and none of the calls", async (t) => {
  const sessile = await start(t);
  const hooks = await sessile.receive();
  const forged = { "webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" };
  for (const headers of [{}, forged]) {
    const { status } = await fetch(hooks.url, { method: "POST", headers, body: "{}" });
    assert.equal(status, 401);
  }
  assert.deepEqual([hooks.calls.length, hooks.unsigned], [0, 2]);
});

test("a deployment's own hooks, once their address is known", async (t) => {
  const sessile = await start(t);
  const hooks = await sessile.receive();
  await sessile.start({ SESSILE_HOOKS: [{ url: hooks.url, events: ["session.start"] }] });
  await (await page(t, sessile, "chat")).send("hello");
  assert.equal((await hooks.next()).type, "session.start");
});
