// P5.4: how often frames come, and that windows never change what they add up to.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Client, connect } from "../support/client.ts";
import { diagnostics, rowsWritten, useServer } from "../support/fixture.ts";
import { call, getHistory, getMessage, streamBody } from "../support/http.ts";
import { token, tokens } from "../support/random.ts";
import { EventReader, Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import { paced, until } from "../support/wait.ts";

const fixture = useServer();

function streaming(client: Client): Promise<string> {
  return client.publish("", { status: "streaming" });
}

/** Sends tokens at a pace; gives how long it really took, in seconds. */
async function send(agent: Client, serial: string, count: number, rate: number): Promise<number> {
  const start = performance.now();
  await paced(count, rate, (i) =>
    agent.send({ type: "append", serial, data: token(i), seq: i + 1 }),
  );
  await agent.ok({ type: "append", serial, data: "", seq: count + 1, status: "complete" });
  return (performance.now() - start) / 1000;
}

describe("rollup", () => {
  test("P5.4 2000 tokens at 150 a second, windows 0, 40 and 500 and one SSE reader", async (t) => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const windows = [0, 40, 500];
    const readers = windows.map(
      (rollup) => new Reader(fixture.server, session, { sub: `r${rollup}`, query: { rollup } }),
    );
    for (const reader of readers) await reader.attach();
    const sse = new EventReader(fixture.server, session, { sub: "sse" });
    await sse.attach();
    const serial = await streaming(agent);
    const seconds = await send(agent, serial, 2000, 150);
    const text = tokens(2000).join("");
    for (const [i, reader] of readers.entries()) {
      await reader.holdsStatus(serial, "complete");
      assertText(reader.fold.text(serial), text);
      reader.fold.assertSound();
      const window = windows[i] ?? 0;
      const frames = reader.fold.counts["message.append"] ?? 0;
      // One at once, one a window, one for the end.
      const most = window === 0 ? 2001 : Math.ceil((seconds * 1000) / window) + 2;
      // Without a window more than with any: how many more is a matter of the machine.
      const least = Math.floor(((seconds * 1000) / (window || 40)) * (window === 0 ? 1.1 : 0.6));
      t.diagnostic(
        `window ${window}: ${frames} frames in ${seconds.toFixed(2)} s, at most ${most}`,
      );
      assert.ok(frames <= most, `window ${window}: ${frames} frames, at most ${most}`);
      assert.ok(frames >= least, `window ${window}: ${frames} frames, at least ${least}`);
    }
    await sse.holds((fold) => fold.messages.get(serial)?.status === "complete", "the end by SSE");
    assertText(sse.fold.text(serial), text);
    sse.fold.assertSound();
    const frames = sse.fold.counts["message.append"] ?? 0;
    assert.ok(frames <= Math.ceil((seconds * 1000) / 40) + 2, `SSE: ${frames}, default window 40`);
    const history = await getHistory(fixture.server, session);
    assert.deepEqual(
      history.map((m) => m.status),
      ["complete"],
    );
    assertText(history[0]?.data, text, "history");
  });

  test("P5.4 the first append goes out at once, and the end closes the window", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const slow = new Reader(fixture.server, session, { sub: "slow", query: { rollup: 500 } });
    await slow.attach();
    const serial = await streaming(agent);
    await slow.holds((fold) => fold.messages.has(serial), "the message");
    await agent.ok({ type: "append", serial, data: "one ", seq: 1 });
    await slow.holdsText(serial, "one ");
    agent.send([
      { type: "append", serial, data: "two ", seq: 2 },
      { type: "append", serial, data: "three", seq: 3, status: "complete" },
    ]);
    await slow.holdsStatus(serial, "complete");
    assert.equal(slow.fold.text(serial), "one two three");
    assert.ok((slow.fold.counts["message.append"] ?? 0) <= 3);
    slow.fold.assertSound();
  });

  test("P5.4 window 0: what arrives in one turn of the event loop is one frame", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session, { sub: "r", query: { rollup: 0 } });
    await reader.attach();
    const serial = await streaming(agent);
    const pieces = tokens(100);
    agent.send(pieces.map((data, i) => ({ type: "append", serial, data, seq: i + 1 })));
    await reader.holdsText(serial, pieces.join(""));
    assert.equal(reader.fold.counts["message.append"], 1, "an array of appends is one frame");
    reader.fold.assertSound();
  });

  test("P5.4 window 0: a burst after appends that came alone is gathered again", async (t) => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session, { sub: "r", query: { rollup: 0 } });
    await reader.attach();
    const serial = await streaming(agent);
    const [alone, burst] = [20, 400];
    const pieces = tokens(alone + burst);
    const append = (i: number): void =>
      agent.send({ type: "append", serial, data: pieces[i] ?? "", seq: i + 1 });
    for (let i = 0; i < alone; i += 1) {
      append(i);
      await reader.holdsText(serial, pieces.slice(0, i + 1).join(""));
    }
    for (let i = alone; i < alone + burst; i += 1) append(i);
    await reader.holdsText(serial, pieces.join(""));
    const frames = (reader.fold.counts["message.append"] ?? 0) - alone;
    t.diagnostic(`${burst} appends at once: ${frames} frames`);
    assert.ok(frames <= burst / 2, `${frames} frames of ${burst} appends at once`);
    reader.fold.assertSound();
  });

  test("P3.7 what a window held back for several messages comes in one array", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session, { sub: "r", query: { rollup: 500 } });
    await reader.attach();
    const one = await streaming(agent);
    const two = await streaming(agent);
    await reader.holds((fold) => fold.messages.has(two), "both messages");
    await agent.ok({ type: "append", serial: one, data: "1" });
    await reader.holdsText(one, "1");
    const arrays: string[][] = [];
    reader.onFrames = (frames) => arrays.push(frames.map((f) => `${f.type} ${f.serial ?? ""}`));
    agent.send([
      { type: "append", serial: two, data: "2" },
      { type: "append", serial: one, data: "3" },
      { type: "publish", messages: [{ data: "other" }] },
    ]);
    await reader.holds((fold) => fold.newest?.data === "other", "the frame that closes the window");
    const last = arrays.at(-1) ?? [];
    assert.equal(last.length, 3, `held back first, in the same array: ${JSON.stringify(arrays)}`);
    assert.match(last[2] ?? "", /^message\.create/);
    assert.deepEqual([reader.fold.text(one), reader.fold.text(two)], ["13", "2"]);
    reader.fold.assertSound();
  });

  test("P5.4 a session's minRollupMs raises every window", async () => {
    const session = fixture.session();
    const patch = { settings: { minRollupMs: 500 } };
    const answer = await call(fixture.server, session, "PATCH", "", { json: patch });
    assert.equal(answer.status, 200, answer.text);
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session, { sub: "r", query: { rollup: 0 } });
    await reader.attach();
    const serial = await streaming(agent);
    const seconds = await send(agent, serial, 150, 100);
    await reader.holdsText(serial, tokens(150).join(""));
    const frames = reader.fold.counts["message.append"] ?? 0;
    assert.ok(frames <= Math.ceil(seconds * 2) + 2, `${frames} frames in ${seconds} s`);
    reader.fold.assertSound();
  });

  test("P5.4 a slow window does not slow a fast one, and the reverse", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const readers = [500, 0, 250].map(
      (rollup) => new Reader(fixture.server, session, { sub: `r${rollup}`, query: { rollup } }),
    );
    for (const reader of readers) await reader.attach();
    const serial = await streaming(agent);
    const seconds = await send(agent, serial, 160, 80);
    for (const reader of readers) {
      await reader.holdsStatus(serial, "complete");
      reader.fold.assertSound();
    }
    const [slow = 0, fast = 0, middle = 0] = readers.map((r) => r.fold.counts["message.append"]);
    // More by far than the window beside it allows; on a quiet machine nearly all.
    assert.ok(fast > 3 * (Math.ceil(seconds * 4) + 2), `window 0 had ${fast} frames of 160`);
    assert.ok(slow <= Math.ceil(seconds * 2) + 2, `window 500 had ${slow}`);
    assert.ok(middle <= Math.ceil(seconds * 4) + 2, `window 250 had ${middle}`);
  });
});

describe("rows written", () => {
  test("P5.4 a publish costs at most 3 rows, a close at most 3", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    await agent.publish("the schema comes with the first write");
    const cost = async (work: () => Promise<unknown>): Promise<number> => {
      const before = await rowsWritten(fixture.server, session);
      await work();
      return (await rowsWritten(fixture.server, session)) - before;
    };
    const plain = await cost(() => agent.publish("plain"));
    assert.ok(plain >= 1 && plain <= 3, `a publish wrote ${plain} rows`);
    const withId = await cost(() => agent.publish("id", { id: "i" }));
    assert.ok(withId <= 3, `a publish with an id wrote ${withId} rows`);
    let serial = "";
    const open = await cost(async () => {
      serial = await agent.publish("", { id: "j", status: "streaming" });
    });
    assert.ok(open <= 3, `a streaming publish with an id wrote ${open} rows`);
    const close = await cost(() =>
      agent.ok({ type: "append", serial, data: "end", status: "complete" }),
    );
    assert.ok(close >= 1 && close <= 3, `a close wrote ${close} rows`);
    const long = await agent.publish("", { status: "streaming" });
    await agent.ok({ type: "append", serial: long, data: "x".repeat(100_000) });
    const closeLong = await cost(() =>
      agent.ok({ type: "append", serial: long, data: "", status: "complete" }),
    );
    assert.ok(closeLong <= 3, `the close of a long message wrote ${closeLong} rows`);
    const update = await cost(() => agent.ok({ type: "update", serial, data: "x" }));
    assert.ok(update <= 3, `an update wrote ${update} rows`);
  });

  test("P5.4 appends write 1.05 rows a window at most, far fewer unwatched", async (t) => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session, { sub: "r", query: { rollup: 40 } });
    await agent.publish("the schema");
    await agent.close();
    const agentToken = { sub: "agent" };
    const run = async (isWatched: boolean): Promise<{ rows: number; seconds: number }> => {
      // Appends by HTTP: a connection of the agent would be a reader itself.
      const json = { data: "", status: "streaming" };
      const made = await call(fixture.server, session, "POST", "/messages", {
        ...agentToken,
        json,
      });
      const serial = (made.body as { messages: { serial: string }[] }).messages[0]?.serial ?? "";
      if (isWatched) await reader.attach();
      const before = await rowsWritten(fixture.server, session);
      const ndjson = "application/x-ndjson";
      const body = await streamBody(fixture.server, session, "/frames", ndjson, agentToken);
      const start = performance.now();
      await paced(600, 150, (i) => {
        body.write(`${JSON.stringify({ type: "append", serial, data: token(i) })}\n`);
      });
      const seconds = (performance.now() - start) / 1000;
      const during = await rowsWritten(fixture.server, session);
      body.end();
      assert.equal((await body.answer).status, 200);
      const whole = await getMessage(fixture.server, session, serial);
      assertText(whole.data, tokens(600).join(""));
      if (isWatched) await reader.close();
      return { rows: during - before, seconds };
    };
    const watched = await run(true);
    const windows = Math.ceil((watched.seconds * 1000) / 40) + 1;
    t.diagnostic(`watched: ${watched.rows} rows, ${windows} windows of 40 ms`);
    assert.ok(
      watched.rows <= Math.ceil(windows * 1.05),
      `${watched.rows} rows, ${windows} windows`,
    );
    assert.ok(watched.rows >= windows * 0.5, `${watched.rows} rows for ${windows} windows`);
    await until(
      () => diagnostics(fixture.server, session),
      ({ connections }) => connections.every(({ client }) => client !== "r"),
      "the reader to be gone",
    );
    const unwatched = await run(false);
    t.diagnostic(`unwatched: ${unwatched.rows} rows`);
    const unseen = Math.ceil((unwatched.seconds * 1000) / 40) + 1;
    assert.ok(
      unwatched.rows * 5 <= unseen,
      `with nobody there ${unwatched.rows} rows in the time of ${unseen} windows`,
    );
  });
});
