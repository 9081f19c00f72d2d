// P11.7: files in a bucket: up, down, in parts, and gone with their session.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { useServer } from "../support/fixture.ts";
import { type Answer, assertRefused, call, field, streamBody } from "../support/http.ts";
import { until, within } from "../support/wait.ts";

const MIB = 1024 * 1024;
const fixture = useServer({
  files: true,
  vars: {
    SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    SESSILE_LIMITS: JSON.stringify({ uploadMs: 60_000 }),
  },
});
const bare = useServer();

interface File {
  id: string;
  name: string;
  type: string;
  bytes: number;
  url: string;
  urlExpiresAt: number;
}

function fileOf(answer: Answer): File {
  assert.equal(answer.status, 201, answer.text);
  return field(answer, "file") as File;
}

async function upload(
  session: string,
  body: string | Uint8Array,
  type = "application/octet-stream",
  query = "",
): Promise<File> {
  return fileOf(await call(fixture.server, session, "POST", `/files${query}`, { body, type }));
}

/** Bytes by a signed address, which needs no header. */
async function get(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return within(fetch(url, { headers }), "a file");
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function keys(session: string): Promise<string[]> {
  const all = await fixture.server.keys();
  return all.filter((key) => key.includes(`${session}/`));
}

async function remove(session: string): Promise<void> {
  const answer = await call(fixture.server, session, "DELETE");
  assert.equal(answer.status, 200, answer.text);
}

/** Nothing of the session is left, in the bucket or in its database. */
async function isGone(session: string): Promise<void> {
  await until(
    () => keys(session),
    (all) => all.length === 0,
    "an empty bucket",
  );
  const tables = () => fixture.server.tables(session).catch(() => ["locked"]);
  await until(tables, (names) => names.length === 0, "nothing of the session in storage");
}

describe("a file", () => {
  test("P11.7 of 20 MB is a short row, read on every device, gone with its session", async () => {
    const session = fixture.session();
    const bytes = randomBytes(20 * MIB);
    const file = await upload(session, bytes, "application/pdf", "?name=report.pdf");
    const { id, url, ...shown } = file;
    assert.deepEqual(
      [shown.name, shown.type, shown.bytes],
      ["report.pdf", "application/pdf", bytes.length],
    );
    const rows = await fixture.server.query(session, "SELECT * FROM file");
    assert.equal(rows.length, 1);
    assert.ok(JSON.stringify(rows).length < 1024, "the row is short");
    assert.ok((await fixture.server.databaseBytes(session)) < MIB);
    for (const client of ["ann", "bob"]) {
      const token = { sub: client, caps: { "*": ["read"] } };
      const signed = await call(fixture.server, session, "GET", `/files/${id}/url`, token);
      assert.equal(signed.status, 200, signed.text);
      const response = await get((field(signed, "file") as File).url);
      assert.equal(response.status, 200);
      assert.equal(digest(new Uint8Array(await response.arrayBuffer())), digest(bytes));
    }
    assert.ok(url.startsWith(fixture.server.url));
    assert.equal((await keys(session)).length, 1);
    await remove(session);
    await isGone(session);
    assertRefused(await call(fixture.server, session, "GET", `/files/${id}`), 404, "not-found");
  });

  test("P11.7 of unknown length arrives in parts, and too much of it leaves nothing", async () => {
    const session = fixture.session();
    const send = async (bytes: Uint8Array) => {
      const stream = await streamBody(fixture.server, session, "/files?name=a", "image/png");
      for (let at = 0; at < bytes.length; at += MIB) stream.write(bytes.subarray(at, at + MIB));
      stream.end();
      return within(
        stream.answer.catch(() => ({ status: 413, text: "" })),
        "an answer",
      );
    };
    for (const length of [0, 3, 5 * MIB, 12 * MIB + 7]) {
      const bytes = randomBytes(length);
      const answer = await send(bytes);
      assert.equal(answer.status, 201, answer.text);
      const { file } = JSON.parse(answer.text) as { file: File };
      assert.equal(file.bytes, length);
      const response = await get(file.url);
      assert.equal(digest(new Uint8Array(await response.arrayBuffer())), digest(bytes));
    }
    const before = (await keys(session)).length;
    assert.equal((await send(randomBytes(26 * MIB))).status, 413);
    const rows = () => fixture.server.query(session, "SELECT * FROM file WHERE is_whole=0");
    await until(rows, (left) => left.length === 0, "no row of the file");
    await until(
      () => keys(session),
      (left) => left.length === before,
      "no object of the file",
    );
    await remove(session);
    await isGone(session);
  });

  test("P11.7 that breaks off leaves neither row nor object, and may be sent again", async () => {
    const session = fixture.cutSession();
    const stream = await streamBody(fixture.server, session, "/files?id=u1", "image/png");
    stream.write(randomBytes(6 * MIB));
    const rows = () => fixture.server.query(session, "SELECT * FROM file");
    await until(rows, (left) => left.length === 1, "a row before the file is whole");
    stream.cut();
    await until(rows, (left) => left.length === 0, "no row of the file");
    await until(
      () => keys(session),
      (left) => left.length === 0,
      "no object of the file",
    );
    const file = await upload(session, "whole", "text/plain", "?id=u1");
    const again = await call(fixture.server, session, "POST", "/files?id=u1", {
      body: "another",
      type: "text/plain",
    });
    assert.equal(again.status, 200, again.text);
    assert.equal(field(again, "duplicate"), true);
    assert.equal((field(again, "file") as File).id, file.id);
    assert.equal(await (await get(file.url)).text(), "whole");
  });

  test("P11.7 is gone after a kill -9 between the deletion and the bucket's answer", async () => {
    const session = fixture.session();
    const file = await upload(session, "secret", "text/plain");
    await fixture.server.setBucket("down");
    await remove(session);
    assert.equal((await keys(session)).length, 1);
    await fixture.server.restart();
    await fixture.server.setBucket("up");
    // Its alarm wakes it, or the next request.
    await call(fixture.server, session, "GET");
    await isGone(session);
    assertRefused(
      await call(fixture.server, session, "GET", `/files/${file.id}`),
      404,
      "not-found",
    );
  });

  test("P11.7 is deleted by its uploader or an administrator, and by nobody else", async () => {
    const session = fixture.session();
    const as = (sub: string, ...caps: string[]) => ({ sub, caps: { "*": caps } });
    const of = async (sub: string) => {
      const more = { ...as(sub, "publish"), body: "x", type: "text/plain" };
      return fileOf(await call(fixture.server, session, "POST", "/files", more)).id;
    };
    const drop = (id: string, token: object) =>
      call(fixture.server, session, "DELETE", `/files/${id}`, token);
    const [first, second] = [await of("ann"), await of("ann")];
    for (const stranger of [as("bob", "read", "publish", "edit"), as("ann", "read")]) {
      assertRefused(await drop(first, stranger), 403, "forbidden");
    }
    assert.equal((await drop(first, as("ann", "publish"))).status, 200);
    assertRefused(await drop(first, as("ann", "publish")), 404, "not-found");
    assert.equal((await drop(second, as("root", "admin"))).status, 200);
    await until(
      () => keys(session),
      (left) => left.length === 0,
      "an empty bucket",
    );
    assert.deepEqual(await fixture.server.query(session, "SELECT id FROM file"), []);
  });

  test("P11.7 goes when retention's time is over", async () => {
    const session = fixture.session();
    const settings = (json: unknown) =>
      call(fixture.server, session, "PATCH", "", { json: { settings: json } });
    await upload(session, "old", "text/plain");
    assert.equal((await settings({ retentionMs: 1_000 })).status, 200);
    await until(
      () => keys(session),
      (left) => left.length === 0,
      "an empty bucket",
      20_000,
    );
    assert.deepEqual(await fixture.server.query(session, "SELECT id FROM file"), []);
  });

  test("P11.7 needs publish to come and read to be read, and a bucket", async () => {
    const session = fixture.session();
    const body = { body: "x", type: "text/plain" };
    const reader = { caps: { "*": ["read"] }, ...body };
    assertRefused(await call(fixture.server, session, "POST", "/files", reader), 403, "forbidden");
    const { id } = await upload(session, "x");
    const writer = { caps: { "*": ["publish"] } };
    const refused = await call(fixture.server, session, "GET", `/files/${id}`, writer);
    assertRefused(refused, 403, "forbidden");
    assertRefused(
      await call(fixture.server, session, "GET", `/files/${id}`, { token: null }),
      401,
      "unauthorized",
    );
    const none = await call(bare.server, bare.session(), "POST", "/files", body);
    assertRefused(none, 503, "not-configured");
  });
});

describe("a signed address", () => {
  test("P11.7 is good for one file, and for nothing else", async () => {
    const session = fixture.session();
    const file = await upload(session, "one", "text/plain");
    const other = await upload(session, "two", "text/plain");
    assert.ok(Date.now() < file.urlExpiresAt);
    assert.equal(await (await get(file.url)).text(), "one");
    for (const path of [`/files/${other.id}`, `/files/${file.id}/url`, "/messages", ""]) {
      const token = new URL(file.url).searchParams.get("token") ?? "";
      const answer = await call(fixture.server, session, "GET", path, { token });
      assertRefused(answer, 403, "forbidden");
    }
    const token = new URL(file.url).searchParams.get("token") ?? "";
    const own = `/files/${file.id}`;
    for (const [method, path] of [
      ["DELETE", own],
      ["POST", "/files"],
      ["POST", "/messages"],
      ["POST", "/frames"],
      ["GET", "/events"],
      ["PATCH", ""],
      ["DELETE", ""],
      ["GET", "/diagnostics"],
    ] as const) {
      const body = method === "GET" ? {} : { json: {} };
      const answer = await call(fixture.server, session, method, path, { token, ...body });
      assertRefused(answer, 403, "forbidden");
    }
    assertRefused(
      await call(fixture.server, fixture.session(), "GET", own, { token }),
      403,
      "forbidden",
    );
    for (const path of ["/v1/inbox", "/v1/sessions", "/v1/push/devices"]) {
      const headers = { authorization: `Bearer ${token}` };
      assert.equal((await get(`${fixture.server.url}${path}`, headers)).status, 403, path);
    }
    assert.equal((await get(file.url.slice(0, -4))).status, 401);
  });
});

describe("a hostile file", () => {
  test("P11.7 is served as a download that runs nowhere", async () => {
    const session = fixture.session();
    const zip = new Uint8Array([0x50, 0x4b, 3, 4, ...randomBytes(64)]);
    const hostile: [string, string | Uint8Array][] = [
      ["text/html", "<script>alert(1)</script>"],
      ["image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"],
      ["application/xhtml+xml", "<html/>"],
      ["text/javascript", "alert(1)"],
      ["image/x+xml", "<a/>"],
      ["application/zip", zip],
      ["application/java-archive", zip],
      ["no type at all", zip],
    ];
    for (const [type, body] of hostile) {
      const file = await upload(session, body, type, "?name=..%2F%E2%80%AEgnp.exe%0D%0AX:%20y%22");
      const { headers } = await get(file.url);
      assert.equal(headers.get("content-type"), "application/octet-stream", type);
      const disposition = headers.get("content-disposition") ?? "";
      assert.match(disposition, /^attachment; filename="[\w. -]+"; filename\*=UTF-8''[\w.~%-]+$/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.match(headers.get("content-security-policy") ?? "", /^sandbox; default-src 'none'/);
      assert.equal(headers.get("x"), null);
      assert.doesNotMatch(file.name, /[/\\\r\n\u202e":]/);
    }
    const shown = await upload(session, "hello", "text/plain;charset=utf-16");
    const { headers } = await get(shown.url);
    assert.equal(headers.get("content-type"), "text/plain; charset=utf-8");
    assert.match(headers.get("content-disposition") ?? "", /^inline; /);
  });

  test("P11.7 is read in ranges, and a range beyond it is 416", async () => {
    const session = fixture.session();
    const { url } = await upload(session, "0123456789", "text/plain");
    const part = async (range: string, more = {}) => {
      const response = await get(url, { range, ...more });
      return [response.status, response.headers.get("content-range"), await response.text()];
    };
    assert.deepEqual(await part("bytes=2-4"), [206, "bytes 2-4/10", "234"]);
    assert.deepEqual(await part("bytes=7-"), [206, "bytes 7-9/10", "789"]);
    assert.deepEqual(await part("bytes=-2"), [206, "bytes 8-9/10", "89"]);
    assert.deepEqual(await part("bytes=10-"), [416, "bytes */10", ""]);
    assert.deepEqual(await part("bytes=-0"), [416, "bytes */10", ""]);
    for (const ignored of ["bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b"]) {
      assert.deepEqual(await part(ignored), [200, null, "0123456789"], ignored);
    }
    const etag = (await get(url)).headers.get("etag") ?? "";
    assert.deepEqual(await part("bytes=0-0", { "if-range": etag }), [206, "bytes 0-0/10", "0"]);
    assert.deepEqual(await part("bytes=0-0", { "if-range": '"x"' }), [200, null, "0123456789"]);
    assert.equal((await get(url, { "if-none-match": etag })).status, 304);
  });
});
