// The clock: what takes hours takes no time, and happens as it would.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../../../tests/support/client.ts";
import { SIGNING_KEY } from "../../../../tests/support/token.ts";
import { shows } from "../../support.ts";
import { agent, page, start } from "../support.ts";

const HOUR_MS = 3_600_000;

test("a session expires when its time has come, asleep or not", async (t) => {
  const sessile = await start(t);
  for (const name of ["asleep", "awake"]) {
    await sessile.configure(name, { idleExpiryMs: 3 * HOUR_MS });
    await (await page(t, sessile, name)).send("hello");
  }
  const count = async (name: string) => (await page(t, sessile, name)).messages.length;
  await sessile.evict("asleep");
  await sessile.clock.advance(2 * HOUR_MS);
  assert.deepEqual([await count("asleep"), await count("awake")], [1, 1]);
  await sessile.evict("asleep");
  // At most a third later.
  await sessile.clock.advance(3 * HOUR_MS);
  assert.deepEqual([await count("asleep"), await count("awake")], [0, 0]);
});

test("an agent that is not heard loses its turn, although it is connected", async (t) => {
  const sessile = await start(t);
  await agent(t, sessile, "chat", (turn) => {
    return new Promise((done) => turn.signal.addEventListener("abort", done));
  });
  const ada = await page(t, sessile, "chat");
  await ada.send("think");
  await shows(ada, ({ turns }) => turns.some(({ status }) => status === "active"), "a turn");
  await sessile.clock.advance(HOUR_MS);
  await shows(ada, ({ turns }) => turns.every(({ status }) => status === "failed"), "its end");
  assert.equal(ada.turns[0]?.reason, "agent-lost");
});

test("a ping counts at its time: whoever was quiet meanwhile is not there any more", async (t) => {
  const sessile = await start(t, { key: SIGNING_KEY });
  const ada = await connect(sessile, "chat", { sub: "ada" });
  await ada.ok({ type: "presence.set" });
  await ada.ping();
  const there = async () => {
    const headers = { authorization: `Bearer ${await sessile.token({ sub: "bob" })}` };
    const read = await fetch(`${sessile.url}/v1/sessions/chat/presence`, { headers });
    return ((await read.json()) as { presence: unknown[] }).presence.length;
  };
  await sessile.clock.advance(10_000);
  assert.equal(await there(), 1);
  await sessile.clock.advance(60_000);
  assert.equal(await there(), 0);
  await ada.close();
});

test("an approval has its deadline, and a late decision is too late", async (t) => {
  const sessile = await start(t);
  const settled = Promise.withResolvers<string>();
  await agent(t, sessile, "chat", async (turn) => {
    const { status } = await turn.approve({ title: "Refund?", deadlineMs: HOUR_MS });
    settled.resolve(status);
  });
  const ada = await page(t, sessile, "chat");
  await ada.send("refund");
  await shows(ada, ({ turns }) => turns.some(({ status }) => status === "suspended"), "a wait");
  await sessile.evict("chat");
  await sessile.clock.advance(HOUR_MS);
  assert.equal(await settled.promise, "expired");
});

test("it survives a kill, and tokens are made by it", async (t) => {
  const sessile = await start(t);
  const ada = await page(t, sessile, "chat");
  await ada.send("before");
  await sessile.clock.advance(5 * HOUR_MS);
  await sessile.kill();
  await sessile.start();
  await ada.send("after");
  const [before, after] = ada.messages;
  assert.ok((after?.createdAt ?? 0) - (before?.createdAt ?? 0) >= 5 * HOUR_MS);
  assert.ok(sessile.clock.now() - Date.now() >= 5 * HOUR_MS - 1000);
  await assert.rejects(sessile.clock.advance(-1), RangeError);
});
