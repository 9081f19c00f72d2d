// P5.5: a message streamed as the body of one request.

import assert from "node:assert/strict";
import { type Socket, connect as tcp } from "node:net";
import { describe, test } from "node:test";
import { address, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message } from "../support/frames.ts";
import { assertRefused, call, getHistory, getMessage, streamBody } from "../support/http.ts";
import { Random, tokens } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { assertText } from "../support/text.ts";
import { makeToken } from "../support/token.ts";
import { until, within } from "../support/wait.ts";

const fixture = useServer();
const AGENT = { sub: "agent", caps: { "*": ["agent"] } };
const TEXT = "text/plain; charset=utf-8";

async function watched(session: string, rollup = 0): Promise<Reader> {
  const reader = new Reader(fixture.server, session, { sub: "reader", query: { rollup } });
  await reader.attach();
  return reader;
}

/** A streamed body that is still open, each of `pieces` a chunk of its own, all written at once. */
async function burst(session: string, pieces: string[]): Promise<Socket> {
  const url = new URL(address(fixture.server, session, "/messages?stream=1"));
  const socket = tcp({ host: url.hostname, port: Number(url.port) });
  socket.on("error", () => {});
  socket.resume();
  const head = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    `Authorization: Bearer ${await makeToken(AGENT)}`,
    `Content-Type: ${TEXT}`,
    "Transfer-Encoding: chunked",
  ];
  const chunk = (piece: string) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`;
  socket.write(`${head.join("\r\n")}\r\n\r\n${pieces.map(chunk).join("")}`);
  return socket;
}

describe("streamed bodies", () => {
  test("P5.5 the message is created at once, grows, is complete at the body's end", async () => {
    const session = fixture.session();
    const reader = await watched(session);
    const path = "/messages?stream=1&name=answer&id=s1";
    const body = await streamBody(fixture.server, session, path, TEXT, AGENT);
    body.write("Hello");
    await reader.holds((fold) => fold.newest?.data === "Hello", "the first piece, before the end");
    const serial = reader.fold.newest?.serial ?? "";
    const created = reader.fold.newest;
    assert.deepEqual(
      [created?.role, created?.name, created?.status, created?.client],
      ["assistant", "answer", "streaming", "agent"],
    );
    body.write(", world");
    await reader.holdsText(serial, "Hello, world");
    body.end();
    const { status, text } = await within(body.answer, "the answer");
    assert.ok(status === 200 || status === 201, text);
    const { message } = JSON.parse(text) as { message: Message };
    assert.equal(message.serial, serial);
    assert.equal(message.status, "complete");
    assert.ok(!("data" in message), "the answer comes without data");
    await reader.holdsStatus(serial, "complete");
    reader.fold.assertSound();
    assert.equal((await getMessage(fixture.server, session, serial)).data, "Hello, world");
    const again = await call(fixture.server, session, "POST", path, {
      ...AGENT,
      body: "Hello, world",
      type: TEXT,
    });
    assert.ok(again.status < 300, again.text);
    assert.equal((await getHistory(fixture.server, session)).length, 1, "its id was taken");
  });

  test("P5.5 a body that breaks off leaves the message failed, and its id free again", async () => {
    const session = fixture.session();
    const reader = await watched(session);
    const path = "/messages?stream=1&id=retry";
    const broken = await streamBody(fixture.server, session, path, TEXT, AGENT);
    broken.write("half of ");
    await reader.holds((fold) => fold.newest?.data === "half of ", "the first half");
    const serial = reader.fold.newest?.serial ?? "";
    broken.cut();
    await reader.holdsStatus(serial, "failed");
    assert.equal((await getMessage(fixture.server, session, serial)).data, "half of ");
    const again = await call(fixture.server, session, "POST", path, {
      ...AGENT,
      body: "the whole",
      type: TEXT,
    });
    assert.ok(again.status < 300, again.text);
    const history = await getHistory(fixture.server, session);
    assert.deepEqual(
      history.map((m) => [m.data, m.status]),
      [
        ["half of ", "failed"],
        ["the whole", "complete"],
      ],
    );
    reader.fold.assertSound();
  });

  test("P5.5 pieces are cut at whole characters, wherever the body is cut", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const session = fixture.session();
    const reader = await watched(session);
    const text = "a\u{1f469}\u200d\u{1f469}\u200d\u{1f467}é日本\u0915\u094d\u0937ش e\u0301 ".repeat(
      8,
    );
    const bytes = Buffer.from(text, "utf8");
    const body = await streamBody(fixture.server, session, "/messages?stream=1", TEXT, AGENT);
    const seen: string[] = [];
    reader.onFrames = (frames) => {
      for (const f of frames) if (f.type === "message.append") seen.push(String(f.data));
    };
    for (let at = 0; at < bytes.length; ) {
      const length = random.between(1, 3);
      body.write(bytes.subarray(at, at + length));
      at += length;
      if (random.below(6) === 0) await reader.client?.ping();
    }
    body.end();
    await within(body.answer, "the answer");
    await reader.holds((fold) => fold.newest?.status === "complete", "the end");
    assertText(reader.fold.newest?.data, text);
    for (const piece of seen) {
      assert.ok(!piece.includes("\ufffd") && piece.isWellFormed(), JSON.stringify(piece));
    }
    reader.fold.assertSound();
  });

  test("P5.5 what follows a pause is shown at once, characters when whole", async () => {
    const session = fixture.session();
    const reader = await watched(session);
    const body = await streamBody(fixture.server, session, "/messages?stream=1", TEXT, AGENT);
    const pieces: [Buffer, string][] = [
      [Buffer.from([0x61]), "a"],
      [Buffer.from([0x62, 0xc3]), "ab"],
      [Buffer.from([0xa9, 0xf0, 0x9f]), "ab\u00e9"],
      [Buffer.from([0x98, 0x80]), "ab\u00e9\u{1f600}"],
      [Buffer.from(" end"), "ab\u00e9\u{1f600} end"],
    ];
    for (const [bytes, text] of pieces) {
      body.write(bytes);
      // The next one is only written when this one has arrived: nothing waits to be more.
      await reader.holds((fold) => fold.newest?.data === text, text);
    }
    body.end();
    assert.ok((await within(body.answer, "the answer")).status < 300);
    await reader.holds((fold) => fold.newest?.status === "complete", "the end");
    reader.fold.assertSound();
  });

  test("P14 chunks that come together are one append, and so are never too many", async () => {
    const session = fixture.session();
    const reader = await watched(session, 40);
    const pieces = tokens(30_000);
    const socket = await burst(session, pieces);
    socket.write("0\r\n\r\n");
    await reader.holds((fold) => !["", "streaming"].includes(fold.newest?.status ?? ""), "the end");
    socket.destroy();
    assert.equal(reader.fold.newest?.status, "complete");
    assertText(reader.fold.newest?.data, pieces.join(""));
    reader.fold.assertSound();
  });

  test("P5.5 a body that breaks off at full speed is failed, and holds no gap", async () => {
    const session = fixture.session();
    const reader = await watched(session, 40);
    const pieces = tokens(10_000);
    const socket = await burst(session, pieces);
    await reader.holds((fold) => (fold.newest?.data ?? "") !== "", "some of it");
    const serial = reader.fold.newest?.serial ?? "";
    socket.destroy();
    await reader.holdsStatus(serial, "failed");
    const kept = String((await getMessage(fixture.server, session, serial)).data);
    assert.ok(kept !== "" && pieces.join("").startsWith(kept), `kept ${kept.length} characters`);
    assertText(reader.fold.newest?.data, kept);
    reader.fold.assertSound();
  });

  test("P5.5 a body that ends inside a character, or is no UTF-8, keeps the rest", async () => {
    const session = fixture.session();
    const ways = [
      Buffer.from([0x61, 0xf0, 0x9f, 0x98]),
      Buffer.from([0x61, 0xff, 0xfe, 0x62]),
      Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62]),
    ];
    for (const bytes of ways) {
      const body = await streamBody(fixture.server, session, "/messages?stream=1", TEXT, AGENT);
      body.write(bytes);
      body.end();
      const { status } = await within(body.answer, "an answer to bytes that are no text");
      assert.ok(status < 500, `answered ${status}`);
    }
    for (const message of await getHistory(fixture.server, session)) {
      const data = String(message.data);
      assert.ok(data.isWellFormed() && data.startsWith("a"), JSON.stringify(data));
      assert.match(message.status ?? "", /^(complete|failed)$/);
    }
  });

  test("P5.5 an empty body is a complete empty message", async () => {
    const session = fixture.session();
    const path = "/messages?stream=1";
    const options = { ...AGENT, body: "", type: TEXT };
    const answer = await call(fixture.server, session, "POST", path, options);
    assert.ok(answer.status < 300, answer.text);
    const [message] = await getHistory(fixture.server, session);
    assert.deepEqual([message?.data, message?.status], ["", "complete"]);
  });

  test("P5.5 a long body at full speed is whole, and costs few frames", async () => {
    const session = fixture.session();
    const reader = await watched(session, 40);
    const pieces = tokens(20_000);
    const body = await streamBody(fixture.server, session, "/messages?stream=1", TEXT, AGENT);
    for (let first = 0; first < pieces.length; first += 100) {
      body.write(pieces.slice(first, first + 100).join(""));
    }
    body.end();
    const { status, text } = await within(body.answer, "the answer");
    assert.ok(status < 300, text);
    await reader.holds((fold) => fold.newest?.status === "complete", "the end");
    assertText(reader.fold.newest?.data, pieces.join(""));
    assert.ok((reader.fold.counts["message.append"] ?? 0) < 400);
    reader.fold.assertSound();
  });

  test("P14 a body of more than 1 MiB is refused as too large, closes the message", async () => {
    const session = fixture.session();
    const body = await streamBody(fixture.server, session, "/messages?stream=1", TEXT, AGENT);
    for (let sent = 0; sent < 20; sent += 1) body.write("x".repeat(65_536));
    body.end();
    const answer = await within(
      body.answer.catch(() => undefined),
      "an answer or a broken body",
    );
    if (answer !== undefined) assert.equal(answer.status, 413, answer.text);
    const [message] = await until(
      () => getHistory(fixture.server, session),
      (history) => history[0]?.status !== "streaming",
      "the message to be closed",
    );
    assert.ok(String(message?.data).length <= 1024 * 1024);
    assert.equal(message?.status, "failed");
  });

  test("P4.1 a streamed body is assistant's, so it needs turn or edit", async () => {
    const session = fixture.session();
    const path = "/messages?stream=1";
    const options = { sub: "u", caps: { "*": ["user"] }, body: "x", type: TEXT };
    const answer = await call(fixture.server, session, "POST", path, options);
    assertRefused(answer, 403, "forbidden");
    assert.deepEqual(await getHistory(fixture.server, session), []);
  });

  test("P5.5 two bodies at once do not mix", async () => {
    const session = fixture.session();
    const reader = await watched(session);
    const connection = await connect(fixture.server, session);
    const bodies = await Promise.all(
      ["a", "b"].map((name) =>
        streamBody(fixture.server, session, `/messages?stream=1&name=${name}`, TEXT, AGENT),
      ),
    );
    for (let i = 0; i < 50; i += 1) {
      bodies[0]?.write(`a${i} `);
      bodies[1]?.write(`b${i} `);
      if (i % 10 === 0) await connection.publish(`between ${i}`);
    }
    for (const body of bodies) {
      body.end();
      assert.ok((await within(body.answer, "an answer")).status < 300);
    }
    const history = await getHistory(fixture.server, session);
    for (const name of ["a", "b"]) {
      const message = history.find((m) => m.name === name);
      assert.equal(message?.data, Array.from({ length: 50 }, (_, i) => `${name}${i} `).join(""));
      await reader.holdsStatus(message?.serial ?? "", "complete");
    }
    reader.fold.assertSound();
  });
});
