// P11.6: a session as a file, in the real runtime: whole, however large, while others are served.

import assert from "node:assert/strict";
import { test } from "node:test";
import { address } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { type Line, linesOf, linesOfMessages, streamOf } from "../support/transfer.ts";
import { USER } from "../support/turns.ts";

const fixture = useServer();

test("P11.6 an export of many pages has every message once, in order", async () => {
  const session = fixture.session("export");
  const { server } = fixture;
  const data = "ß".repeat(25_000);
  for (let round = 0; round < 20; round += 1) {
    const messages = [0, 1, 2, 3].map((n) => ({ data: `${round}.${n} ${data}` }));
    const published = await call(server, session, "POST", "/messages", { json: messages });
    assert.equal(published.status, 201);
  }
  const { status, headers, text } = await call(server, session, "GET", "/export");
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "application/x-ndjson");
  const lines = linesOf(text);
  assert.equal(lines[0]?.type, "export");
  const messages = lines.filter((line) => line.type === "message");
  const words = messages.map((line) => line.data?.split(" ")[0]);
  const expected = Array.from({ length: 80 }, (_, n) => `${Math.floor(n / 4)}.${n % 4}`);
  assert.deepEqual(words, expected);
});

test("P11.6 only an administrator exports, and only what is there", async () => {
  const session = fixture.session("export-no");
  const { server } = fixture;
  const path = "/export";
  assertRefused(await call(server, session, "GET", path, USER), 403, "forbidden");
  assertRefused(await call(server, session, "GET", path), 404, "not-found");
});

async function memoryOf(session: string): Promise<number> {
  const { body } = await call(fixture.server, session, "GET", "/diagnostics");
  return (body as { memoryBytes: number }).memoryBytes;
}

test("P11.6 50 MB are imported and exported, and memory stays as it was", async () => {
  const session = fixture.session("big");
  const copy = fixture.session("big-copy");
  const { server } = fixture;
  // Memory that a single call takes is taken before.
  const small = streamOf(linesOfMessages(20, 100_000));
  const warm = fixture.session("big-warm");
  assert.equal((await call(server, warm, "PUT", "/import", { body: small })).status, 200);
  await call(server, warm, "GET", "/export");
  const before = await memoryOf(warm);
  const body = streamOf(linesOfMessages(500, 100_000));
  const imported = await call(server, session, "PUT", "/import", { body });
  assert.equal(imported.status, 200, imported.text);
  const { text } = await call(server, session, "GET", "/export");
  assert.equal(linesOf(text).length, 502);
  const again = await call(server, copy, "PUT", "/import", { body: text });
  assert.equal(again.status, 200, again.text);
  const [, ...messages] = linesOf(text);
  const [, ...copied] = linesOf((await call(server, copy, "GET", "/export")).text);
  const plain = (lines: Line[]) =>
    lines.map((line) => JSON.stringify(line).replace(/"[0-9a-z]{4}(0000[0-9a-f]{4}")/g, '"$1'));
  assert.deepEqual(plain(copied), plain(messages));
  const grown = (await memoryOf(copy)) - before;
  assert.ok(grown < 4 * 1024 * 1024, `${grown} bytes for 50 MB`);
});

test("P11.6 an export that kill -9 cuts off is whole when it is asked for again", async () => {
  const session = fixture.session("export-killed");
  const { server } = fixture;
  const body = streamOf(linesOfMessages(300, 100_000));
  assert.equal((await call(server, session, "PUT", "/import", { body })).status, 200);
  const whole = await call(server, session, "GET", "/export");
  const headers = { authorization: `Bearer ${await makeToken()}` };
  const broken = await fetch(address(server, session, "/export"), { headers });
  const reader = broken.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.ok(reader);
  let read = (await reader.read()).value ?? "";
  const restarted = server.restart();
  try {
    for (let more = await reader.read(); !more.done; more = await reader.read()) read += more.value;
  } catch {
    // A connection that breaks, which is what a client sees of it.
  }
  await restarted;
  assert.ok(read.length < whole.text.length, `${read.length} of ${whole.text.length} characters`);
  assert.ok(
    whole.text.startsWith(
      read.slice(read.indexOf("\n"), read.lastIndexOf("\n")),
      read.indexOf("\n"),
    ),
    "what came is what is there",
  );
  assert.equal(linesOf(whole.text).at(-1)?.type, "end");
  const again = await call(server, session, "GET", "/export");
  const [, ...lines] = linesOf(again.text);
  assert.deepEqual(lines, linesOf(whole.text).slice(1));
});

test("P11.6 an import that kill -9 breaks off leaves nothing, and is made again", async () => {
  const session = fixture.session("killed");
  const { server } = fixture;
  let sent = 0;
  let restarted = Promise.resolve();
  const half = async function* () {
    for await (const chunk of linesOfMessages(400, 100_000)) {
      sent += 1;
      if (sent === 200) {
        const { status } = await call(server, session, "GET", "/messages");
        assert.equal(status, 409, "it is not there while it is imported");
        restarted = server.restart();
        await restarted;
      }
      yield chunk;
    }
  };
  await assert.rejects(call(server, session, "PUT", "/import", { body: streamOf(half()) }));
  await restarted;
  assertRefused(await call(server, session, "GET", "/messages"), 409, "conflict");
  const body = streamOf(linesOfMessages(400, 100_000));
  const imported = await call(server, session, "PUT", "/import", { body });
  assert.equal(imported.status, 200, imported.text);
  assert.equal(linesOf((await call(server, session, "GET", "/export")).text).length, 402);
});

test("P11.6 an import that is cut, wrong or not wanted is refused", async () => {
  const { server } = fixture;
  const session = fixture.session("cut");
  const messages: Uint8Array[] = [];
  for await (const chunk of linesOfMessages(3, 10)) messages.push(chunk);
  const cut = Buffer.concat(messages.slice(0, -1));
  const put = (body: Uint8Array, options = {}) =>
    call(server, session, "PUT", "/import", { body, ...options });
  assertRefused(await put(cut), 400, "invalid-frame");
  assertRefused(await put(Buffer.from("{}")), 400, "invalid-frame");
  assertRefused(await put(Buffer.from([0xff, 0x0a])), 400, "invalid-frame");
  const long = Buffer.concat([messages[0] ?? cut, Buffer.alloc(9 * 1024 * 1024, 0x78)]);
  assertRefused(await put(long), 413, "too-large");
  assertRefused(await put(Buffer.concat(messages), USER), 403, "forbidden");
  assert.equal((await put(Buffer.concat(messages))).status, 200);
  assertRefused(await put(Buffer.concat(messages)), 409, "conflict");
});
