// The wire: whatever happens on it, a reader ends with the same text.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { within } from "../../../../tests/support/wait.ts";
import { createAgentSession, overFetch } from "../../../src/agent/index.ts";
import { ProxyWire } from "../../../src/testing/wire.ts";
import { shows } from "../../support.ts";
import { agent, isWhole, page, start, words } from "../support.ts";

describe("in the middle of an answer", () => {
  const troubles: Record<string, (wire: Awaited<ReturnType<typeof start>>["wire"]) => unknown> = {
    "a cut loses and repeats nothing": (wire) => wire.cut(),
    "a lost network loses and repeats nothing": (wire) => {
      wire.drop();
      setTimeout(() => wire.mend(), 100);
    },
    "a frozen wire loses and repeats nothing": (wire) => {
      wire.freeze();
      setTimeout(() => wire.mend(), 50);
    },
    "requests that fail lose and repeat nothing": (wire) => {
      wire.fail(2);
      wire.cut();
    },
  };
  for (const [title, trouble] of Object.entries(troubles)) {
    test(title, async (t) => {
      const sessile = await start(t);
      let isOn = true;
      // The page has a network of its own: only its wire is in trouble.
      const phone = await sessile.newWire();
      await agent(t, sessile, "chat", (turn) => turn.stream(words(() => isOn)));
      const ada = await page(t, sessile, "chat", phone.url);
      const answer = () => ada.messages.find(({ role }) => role === "assistant");
      await ada.send("count");
      const seen = () => String(answer()?.data ?? "").length;
      await shows(ada, () => seen() > 20, "the beginning of the answer");
      trouble(phone);
      const before = seen();
      await shows(ada, () => seen() > before + 20, "more of the answer");
      isOn = false;
      await shows(ada, () => answer()?.status === "complete", "the end of the answer");
      assert.ok(isWhole(answer()?.data), String(answer()?.data));
    });
  }
});

test("a frozen wire says nothing to anybody, and another wire does not notice", async (t) => {
  const sessile = await start(t);
  const other = await sessile.newWire();
  const [ada, bob] = await Promise.all([
    page(t, sessile, "chat"),
    page(t, sessile, "chat", other.url),
  ]);
  sessile.wire.freeze();
  await bob.send("over the other wire");
  assert.equal(ada.messages.length, 0);
  sessile.wire.mend();
  await shows(ada, ({ messages }) => messages.length === 1, "what was held");
});

test("a slow wire is slow in both directions, and keeps the order", async (t) => {
  const sessile = await start(t);
  const ada = await page(t, sessile, "chat");
  sessile.wire.slow(60);
  const from = performance.now();
  await Promise.all(["one", "two", "three"].map((data) => ada.send(data)));
  // Timers may ring a millisecond early.
  assert.ok(performance.now() - from >= 118, "there and back");
  sessile.wire.mend();
  assert.deepEqual(
    ada.messages.map(({ data }) => data),
    ["one", "two", "three"],
  );
});

test("so many requests fail as they are told to, and the next does not", async (t) => {
  const { url, wire } = await start(t);
  wire.fail(2);
  const statuses = [await fetch(url), await fetch(url), await fetch(url)].map((it) => it.status);
  assert.deepEqual(statuses.slice(0, 2), [503, 503]);
  assert.notEqual(statuses[2], 503);
  wire.fail(1, "reset");
  await assert.rejects(fetch(url));
  wire.fail(1, 429);
  const refused = await fetch(url);
  assert.equal(refused.status, 429);
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, "unavailable");
});

test("bodies stream in both directions at once: an agent that only has fetch", async (t) => {
  const sessile = await start(t);
  let isOn = true;
  const bot = createAgentSession({
    ...{ url: sessile.url, session: "chat", link: overFetch },
    token: await sessile.token({ sub: "bot", role: "agent" }),
    onInput: (_, begun) =>
      bot.answer(begun, (turn) => turn.stream(words(() => isOn))).catch(() => {}),
  });
  t.after(() => bot.close());
  const ada = await page(t, sessile, "chat");
  await ada.send("count");
  const answer = () => ada.messages.find(({ role }) => role === "assistant");
  await shows(ada, () => String(answer()?.data ?? "").length > 20, "the beginning");
  isOn = false;
  await shows(ada, () => answer()?.status === "complete", "the end of the answer");
  assert.ok(isWhole(answer()?.data));
});

test("a client that leaves is gone on the other side as well", async (t) => {
  const left = Promise.withResolvers<void>();
  const behind = createServer((_, answer) => {
    answer.on("close", left.resolve);
    answer.write("and so on");
  });
  await new Promise<void>((done) => behind.listen(0, "127.0.0.1", done));
  const { port } = behind.address() as AddressInfo;
  const wire = await ProxyWire.start(() => port);
  t.after(async () => {
    await wire.stop();
    behind.close();
  });
  const controller = new AbortController();
  const stream = await fetch(wire.url, { signal: controller.signal });
  await stream.body?.getReader().read();
  controller.abort();
  await within(left.promise, "the server to be told");
});
