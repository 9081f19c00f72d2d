// P14: each limit is refused by name when passed, and just under it all is well.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attach, type Client, connect, open } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import type { Frame, Page } from "../support/frames.ts";
import { assertRefused, call, getHistory, getMessage } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import { type Server, startServer } from "../support/server.ts";
import { within } from "../support/wait.ts";

const fixture = useServer();
const MIB = 1024 * 1024;
/** The same Worker without a speed limit for writers: many megabytes get there sooner. */
const roomy = useServer({
  vars: { SESSILE_LIMITS: JSON.stringify({ textBytesPerSecond: 1e9, framesBurst: 1e6 }) },
});

describe("sizes", () => {
  test("P14 every default is in attached.limits", async () => {
    const { attached } = await attach(fixture.server, fixture.session());
    const expected = {
      frameBytes: 262144,
      dataBytes: 1048576,
      publishMessages: 100,
      headerKeys: 32,
      headerBytes: 4096,
      nameLength: 128,
      connections: 10000,
      claimsBytes: 4096,
      streamingMessages: 256,
      frameDepth: 64,
      messagesPerSecond: 2000,
      messagesBurst: 10000,
      textBytesPerSecond: 4194304,
      framesPerSecond: 200,
      framesBurst: 1000,
      signalsPerSecond: 20,
    };
    assert.deepEqual({ ...attached.limits, ...expected }, attached.limits);
  });

  test("P11.7 the limits say whether files are kept", async () => {
    const { attached } = await attach(fixture.server, fixture.session());
    assert.equal((attached.limits as Record<string, number>).fileBytes, 0);
    const keeping = await startServer({ files: true });
    try {
      const { attached: told } = await attach(keeping, "files");
      assert.equal((told.limits as Record<string, number>).fileBytes, 25 * MIB);
    } finally {
      await keeping.stop();
    }
  });

  test("P14 a WebSocket message of 256 KiB of UTF-8 is taken, a longer one refused", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session, { sub: "other" });
    const client = await connect(fixture.server, session);
    const frame = (bytes: number, fill: string): string => {
      const empty = JSON.stringify({ type: "publish", ref: "big", messages: [{ data: "" }] });
      const rest = bytes - Buffer.byteLength(empty);
      const size = Buffer.byteLength(fill);
      const data = fill.repeat(Math.floor(rest / size)) + "x".repeat(rest % size);
      return JSON.stringify({ type: "publish", ref: "big", messages: [{ data }] });
    };
    for (const fill of ["x", "é", "日", "\u{1f600}"]) {
      const text = frame(262_144, fill);
      assert.equal(Buffer.byteLength(text), 262_144);
      client.socket.send(text);
      assert.equal((await client.next((f) => f.ref === "big")).type, "ack", fill);
    }
    for (const bytes of [262_145, MIB - 10, 5 * MIB]) {
      const bad = await connect(fixture.server, session, { sub: "bad" });
      bad.socket.send(frame(bytes, "é"));
      const answer = await Promise.race([
        bad.next((f) => f.type === "nack"),
        within(bad.closed, `an answer to ${bytes} bytes`),
      ]);
      if ("type" in answer) assert.equal(answer.error?.code, "too-large");
      else assert.ok([4413, 1009].includes(answer.code), `${bytes} bytes: ${answer.code}`);
      bad.cut();
    }
    await other.publish("unharmed");
    assert.equal((await getHistory(fixture.server, session)).length, 5);
  });

  test("P14 over HTTP the same bodies are 413 too-large", async () => {
    const session = fixture.session();
    for (const path of ["/messages", "/frames"]) {
      const message = { data: "x".repeat(300_000) };
      const json = path === "/messages" ? message : { type: "publish", messages: [message] };
      const answer = await call(fixture.server, session, "POST", path, { json });
      assertRefused(answer, 413, "too-large");
    }
    const huge = await call(fixture.server, session, "POST", "/messages", {
      body: `{"data":"${"x".repeat(20 * MIB)}"}`,
      type: "application/json",
    });
    assertRefused(huge, 413, "too-large");
    const line = JSON.stringify({ type: "publish", messages: [{ data: "y".repeat(300_000) }] });
    const good = JSON.stringify({ type: "publish", messages: [{ data: "good" }] });
    const ndjson = await call(fixture.server, session, "POST", "/frames", {
      body: `${good}\n${line}\n${good}\n`,
      type: "application/x-ndjson",
    });
    const answers = ndjson.text
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Frame);
    assert.equal(answers[0]?.type, "ack");
    assert.equal(answers[1]?.error?.code, "too-large");
  });

  test("P14 one message's data is 1 MiB at most, after all appends", async () => {
    const session = fixture.session();
    const client = await connect(fixture.server, session);
    const serial = await client.publish("", { status: "streaming" });
    const piece = "z".repeat(131_072);
    for (let i = 0; i < 8; i += 1) await client.ok({ type: "append", serial, data: piece });
    const error = await client.refused({ type: "append", serial, data: "z" }, "too-large");
    assert.match(error.message, /1048576|1 MiB/, "the refusal says what would be right");
    await client.ok({ type: "append", serial, data: "", status: "complete" });
    const message = await getMessage(fixture.server, session, serial);
    assert.equal(String(message.data).length, MIB);
  });

  test("P14 messages in a publish, headers, names, ids and refs", async () => {
    const client = await connect(fixture.server, fixture.session());
    const publish = (message: Record<string, unknown>) => ({
      type: "publish",
      messages: [{ data: 1, ...message }],
    });
    const many = (count: number) => ({
      type: "publish",
      messages: Array.from({ length: count }, (_, i) => ({ data: i })),
    });
    const keys = (count: number, size = 1) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v".repeat(size)]));
    await client.ok(many(100));
    const code = /^(too-large|over-limit|invalid-frame)$/;
    const refuse = async (frame: { type: string }): Promise<void> => {
      const answer = await client.request(frame);
      assert.equal(answer.type, "nack", JSON.stringify(frame).slice(0, 100));
      assert.match(answer.error?.code ?? "", code);
      assert.match(answer.error?.message ?? "", /\d/, "the refusal says how much would be right");
    };
    await refuse(many(101));
    await client.ok(publish({ headers: keys(32) }));
    await refuse(publish({ headers: keys(33) }));
    await refuse(publish({ headers: keys(2, 2100) }));
    for (const field of ["id", "name"]) {
      await client.ok(publish({ [field]: "n".repeat(128) }));
      await refuse(publish({ [field]: "n".repeat(129) }));
    }
    await client.ok({ ...publish({}), ref: "r".repeat(128) });
  });

  test("P14 256 messages may stream at once, no more", async () => {
    const client = await connect(fixture.server, fixture.session());
    const streaming = (count: number) => ({
      type: "publish",
      messages: Array.from({ length: count }, () => ({ data: "s", status: "streaming" })),
    });
    await client.ok(streaming(100));
    await client.ok(streaming(100));
    const { messages } = await client.ok(streaming(56));
    const error = await client.refused(streaming(1), "over-limit");
    assert.match(error.message, /256/);
    const serial = messages?.[0]?.serial;
    await client.ok({ type: "append", serial, data: "", status: "complete" });
    await client.ok(streaming(1));
  });
});

describe("rates", () => {
  test("P14 a flood of publishes is rate-limited or 4429, and others go on", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session, { sub: "other", keep: false });
    const client = await connect(fixture.server, session, { sub: "flood" });
    const answers: Frame[] = [];
    client.onFrames = (frames) => {
      answers.push(...frames.filter((f) => f.type === "ack" || f.type === "nack"));
    };
    const messages = [{ data: "flood" }];
    for (let first = 0; first < 5000; first += 500) {
      const frames = Array.from({ length: 500 }, (_, i) => ({
        type: "publish",
        ref: `f${first + i}`,
        messages,
      }));
      client.send(frames);
    }
    await client.ping().catch(() => {});
    const last = client.next((f) => f.ref === "f4999", "the last answer");
    await Promise.race([last.catch(() => {}), client.closed]);
    const refused = answers.filter((f) => f.type === "nack");
    if (client.isClosed) await client.closedWith(4429);
    else {
      assert.ok(refused.length > 0, "5000 at once are more than a burst of 1000");
      for (const { error } of refused) {
        assert.equal(error?.code, "rate-limited");
        assert.equal(error?.status, 429);
        assert.ok((error?.retryAfterMs ?? 0) > 0, "rate-limited says when to come again");
      }
    }
    assert.ok(answers.length - refused.length >= 1000, "a burst of 1000 is allowed");
    await other.publish("unharmed");
  });

  test("P14 signals are 20 a second", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session, { sub: "other" });
    const client = await connect(fixture.server, session, { sub: "flood" });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => client.request({ type: "signal", name: "n", data: i })),
    );
    const refused = answers.filter((f) => f.error?.code === "rate-limited");
    assert.ok(refused.length > 0 && refused.length < 200, `${refused.length} of 200 refused`);
    await other.publish("unharmed");
  });

  test("P14 a flood of WebSocket messages past the burst is 4429 or rate-limited", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session, { sub: "other" });
    const client = await connect(fixture.server, session, { sub: "flood", keep: false });
    const serial = await client.publish("", { status: "streaming" });
    let refused = 0;
    client.onFrames = (frames) => {
      refused += frames.filter((f) => f.error?.code === "rate-limited").length;
    };
    for (let i = 0; i < 40_000 && !client.isClosed && refused === 0; i += 1) {
      client.send({ type: "append", serial, data: "." });
      if (i % 500 === 0) await client.ping().catch(() => {});
    }
    const last = await client.request({ type: "append", serial, data: "!" }).catch(() => null);
    if (last === null) await client.closedWith(4429);
    else assert.ok(refused > 0, "40 000 at once are more than a burst of 10 000");
    await other.publish("unharmed");
  });

  test("P14 text past 4 MiB a second is slowed by refusal or close", async () => {
    const session = fixture.session();
    const other = await connect(fixture.server, session, { sub: "other", keep: false });
    const client = await connect(fixture.server, session, { sub: "flood", keep: false });
    let refused = 0;
    client.onFrames = (frames) => {
      refused += frames.filter((f) => f.error?.code === "rate-limited").length;
    };
    const data = "t".repeat(200_000);
    for (let i = 0; i < 400 && !client.isClosed && refused === 0; i += 1) {
      client.send({ type: "signal", ref: i, name: "n", data });
      if (i % 10 === 0) await client.ping().catch(() => {});
    }
    if (client.isClosed) await client.closedWith(4429);
    else assert.ok(refused > 0, "80 MB at once are more than any burst");
    await other.publish("unharmed");
  });
});

describe("a session of 50 MB", () => {
  test("P3.4, P3.6, P3.9, P11.1 page, replay and snapshot stay within their bounds", async () => {
    const session = roomy.session("big");
    const writer = await connect(roomy.server, session, { keep: false });
    const text = "b".repeat(10_000);
    let first: string | undefined;
    for (let at = 0; at < 5000; at += 20) {
      const messages = Array.from({ length: 20 }, (_, i) => ({ data: `${at + i} ${text}` }));
      const answer = await writer.request({ type: "publish", messages });
      if (answer.type === "nack") {
        assert.equal(answer.error?.code, "rate-limited", answer.error?.message);
        await new Promise((done) => setTimeout(done, answer.error?.retryAfterMs ?? 100));
        at -= 20;
        continue;
      }
      first ??= answer.result?.messages?.[0]?.serial;
    }
    await writer.close();
    assert.ok((await diagnostics(roomy.server, session)).databaseBytes > 50_000_000);
    await roomy.server.evict(session);

    const page = await call(roomy.server, session, "GET", "/messages?limit=1000");
    assert.ok(page.text.length <= MIB + 65_536, `a page of ${page.text.length}`);
    assert.equal((page.body as Page).hasMore, true);
    const snapshot = await call(roomy.server, session, "GET", "?rewind=1000");
    assert.equal(snapshot.status, 200);
    assert.ok(snapshot.text.length <= MIB + 65_536, `a snapshot of ${snapshot.text.length}`);

    const reader = new Reader(roomy.server, session);
    const arrays: number[] = [];
    reader.onFrames = (frames) => arrays.push(JSON.stringify(frames).length);
    await reader.attach({ rewind: 1000 });
    assert.ok(reader.bytesSince <= 4 * MIB + 65_536, `a replay of ${reader.bytesSince}`);
    assert.ok(reader.bytesSince >= 3 * MIB, `a replay of only ${reader.bytesSince}`);
    assert.equal(reader.fold.attached?.hasOlder, true);
    assert.ok(JSON.stringify(reader.fold.attached).length <= 65_536, "attached is no list");
    assert.ok(Math.max(...arrays) <= 160_000, `arrays of some 64 KiB, not ${Math.max(...arrays)}`);
    reader.fold.assertSound();
    await reader.close();
    const since = new Reader(roomy.server, session);
    await since.attach({ since: first ?? "", rewind: 10 });
    assert.equal(since.fold.attached?.resumed, false, "more than 4 MiB were missed");
    assert.equal(since.fold.messages.size, 10);
    await since.close();
    const { memoryBytes } = await diagnostics(roomy.server, session);
    assert.ok(memoryBytes < 64 * MIB, `memory grew to ${memoryBytes}`);
  });
});

describe("readers that do not read", () => {
  async function push(writer: Client, megabytes: number): Promise<void> {
    const data = "p".repeat(200_000);
    for (let sent = 0; sent < megabytes * 5; ) {
      const answer = await writer.request({ type: "publish", messages: [{ data }] });
      if (answer.type === "ack") sent += 1;
      else {
        assert.equal(answer.error?.code, "rate-limited");
        await new Promise((done) => setTimeout(done, answer.error?.retryAfterMs ?? 100));
      }
    }
  }

  test("P13.7 one with 12 MB and more pushed at it is closed, and harms nobody", async () => {
    const session = roomy.session();
    const writer = await connect(roomy.server, session, { sub: "writer", keep: false });
    const other = new Reader(roomy.server, session, { sub: "other" });
    await other.attach();
    const stalled = await connect(roomy.server, session, { sub: "stalled" });
    const sse = await openEvents(roomy.server, session, { sub: "stalled-sse", isPaused: true });
    const position = (await getHistory(roomy.server, session)).at(-1)?.serial;
    assert.equal(position, undefined);
    stalled.socket.stall();
    await push(writer, 24);
    await other.holds((fold) => fold.messages.size === 120, "all that was pushed");
    other.fold.assertSound();
    const { connections } = await diagnostics(roomy.server, session);
    const clients = connections.map((c) => c.client);
    assert.ok(clients.includes("other"));
    assert.ok(!clients.includes("stalled"), "the one that never reads is gone");
    assert.ok(!clients.includes("stalled-sse"), "so is the one that never reads SSE");
    await writer.close();
    // Nothing can take back what lies unsent, so the session resets itself once it is quiet:
    // whoever else is attached is closed and resumes, and after that it can be evicted.
    const { client } = other;
    assert.ok(client);
    await within(client.closed, "the session to give the stalled one up");
    await other.attach();
    assert.equal(other.fold.attached?.resumed, true);
    assert.deepEqual(other.fold.sinceAttach, {}, "nobody lost anything");
    await other.close();
    assert.equal(await roomy.server.evict(session), true, "nothing holds it awake any more");
    stalled.socket.unstall();
    const { code } = await within(stalled.closed, "the close of the one that never read");
    assert.ok([4429, 1006].includes(code), `closed with ${code}`);
    sse.begin();
    await within(sse.ended, "the end of the event stream that was never read");
  });

  test("P13.7 an unanswered probe counts, an answered one does not", async () => {
    const session = roomy.session();
    const writer = await connect(roomy.server, session, { sub: "writer", keep: false });
    const good = await connect(roomy.server, session, { sub: "good", keep: false });
    let probes = 0;
    good.onFrames = (frames) => {
      for (const frame of frames) {
        if (frame.type !== "probe") continue;
        probes += 1;
        good.send({ type: "seen", n: frame.n });
      }
    };
    await push(writer, 12);
    await good.publish("alive");
    assert.equal(good.isClosed, false, "a reader that reads and answers is not closed");
    assert.ok(probes >= 0);
  });
});

describe("limits per deployment", () => {
  test("P14 SESSILE_LIMITS sets a limit, reports it, and it is refused by name", async () => {
    const limits = { dataBytes: 100, connections: 3, framesBurst: 5, framesPerSecond: 1 };
    const server: Server = await startServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });
    try {
      const { client, attached } = await attach(server, "s");
      for (const [name, value] of Object.entries(limits)) {
        assert.equal(attached.limits?.[name], value);
      }
      await client.refused({ type: "publish", messages: [{ data: "x".repeat(101) }] }, "too-large");
      await client.publish("x".repeat(90));
      const others = [await connect(server, "s"), await connect(server, "s")];
      const fourth = await open(server, "s");
      const nack = await fourth.next("nack");
      assert.equal(nack.error?.code, "over-limit");
      await within(fourth.closed, "the close of one connection too many");
      await others[0]?.close();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          client.request({ type: "publish", messages: [{ data: 1 }] }),
        ),
      );
      assert.ok(answers.some((f) => f.error?.code === "rate-limited"));
    } finally {
      await server.stop();
    }
  });
});
