// P11.7: the form in which files are served, and uploads that mean harm.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { useServer } from "../support/fixture.ts";
import { type Answer, assertRefused, call, field, streamBody } from "../support/http.ts";
import { makeToken } from "../support/token.ts";
import { until, within } from "../support/wait.ts";

/** The exports of `files.js` that are tested here. */
interface Form {
  harmlessName(name: string): string;
  harmlessType(type: string): string;
  headersOf(file: File): { "content-type": string; "content-disposition": string };
  isKnown(ifNoneMatch: string | null, file: File): boolean;
  rangeOf(range: string | null, ifRange: string | null, file: File): unknown;
}

interface File {
  id: string;
  name: string;
  type: string;
  bytes: number;
}

const module = new URL("../../src/cloudflare/bucket/files.js", import.meta.url).href;
const { harmlessName, harmlessType, headersOf, isKnown, rangeOf }: Form = await import(module);
const BYTES = "application/octet-stream";

function file(name: string, type: string): File {
  return { id: "f1", name: harmlessName(name), type: harmlessType(type), bytes: 10 };
}

function served(type: string): [string, string] {
  const headers = headersOf(file("a", type));
  return [headers["content-type"], headers["content-disposition"].split(";")[0] ?? ""];
}

describe("the form of a file", () => {
  test("P11.7 shows media and plain text only, and serves no type that a browser runs", () => {
    assert.deepEqual(served("image/png"), ["image/png", "inline"]);
    assert.deepEqual(served("Video/MP4; codecs=x"), ["video/mp4", "inline"]);
    assert.deepEqual(served("text/plain"), ["text/plain; charset=utf-8", "inline"]);
    assert.deepEqual(served("application/pdf"), ["application/pdf", "attachment"]);
    const hostile = [
      "image/svg+xml",
      "IMAGE/SVG+XML",
      "image/svg",
      "video/x+xml",
      "audio/xml",
      "text/html",
      "application/xhtml+xml",
      "text/javascript",
      "text/css",
      "multipart/x-mixed-replace",
      "image/png\r\nset-cookie: a=b",
      "image / png",
      "image/",
      "",
      "text/plain\0",
      "text/plain,text/html",
    ];
    for (const type of hostile) assert.deepEqual(served(type), [BYTES, "attachment"], type);
  });

  test("P11.7 has a name that is no path, no header, and not read backwards", () => {
    assert.equal(harmlessName("../../etc/passwd"), "_.._etc_passwd");
    assert.equal(harmlessName("C:\\a.exe"), "C__a.exe");
    assert.equal(harmlessName("a\r\nset-cookie: b"), "a__set-cookie_ b");
    assert.equal(harmlessName("\u202egpj.exe"), "_gpj.exe");
    assert.equal(harmlessName(" ... "), "file");
    assert.equal(harmlessName("\ud800a"), "\ufffda");
    assert.equal(harmlessName("a".repeat(1000)).length, 200);
    const said = headersOf(file("50% \"é'.txt", ""))["content-disposition"];
    const encoded = "filename*=UTF-8''50%25%20_%C3%A9%27.txt";
    assert.equal(said, `attachment; filename="50_ __'.txt"; ${encoded}`);
  });

  test("P11.7 gives a range within the file, none beyond it, and ignores a malformed one", () => {
    const of = (range: string, ifRange: string | null = null) =>
      rangeOf(range, ifRange, file("a", ""));
    const part = (offset: number, length: number) => ({ offset, length });
    assert.deepEqual(of("bytes=0-3"), part(0, 4));
    assert.deepEqual(of("bytes=3-"), part(3, 7));
    assert.deepEqual(of("bytes=-3"), part(7, 3));
    assert.deepEqual(of("bytes=-30"), part(0, 10));
    assert.deepEqual(of("bytes=9-99999999999999999999999"), part(9, 1));
    for (const beyond of ["bytes=10-", "bytes=10-12", "bytes=-0", `bytes=${"9".repeat(400)}-`]) {
      assert.equal(of(beyond), null, beyond);
    }
    const ignored = ["bytes=3-1", "bytes=-", "bytes=a-b", "bytes=+1-2", "lines=0-1", "0-1"];
    for (const range of [...ignored, "bytes=0-1,3-4", "bytes=0--1", "bytes=1e0-2", ""]) {
      assert.equal(of(range), undefined, range);
    }
    assert.deepEqual(of("bytes=0-3", '"f1"'), part(0, 4));
    assert.equal(of("bytes=0-3", '"f2"'), undefined);
    assert.ok(isKnown('"x", W/"f1"', file("a", "")));
    assert.ok(!isKnown('"f2"', file("a", "")));
    assert.ok(!isKnown(null, file("a", "")));
  });
});

const fixture = useServer({
  files: true,
  vars: {
    SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    SESSILE_LIMITS: JSON.stringify({ uploadMs: 3_000, fileBytes: 100_000 }),
  },
});

interface Served extends File {
  url: string;
}

async function upload(session: string, query: string, more: object): Promise<Served> {
  const answer = await call(fixture.server, session, "POST", `/files${query}`, more);
  return fileOf(answer);
}

function fileOf(answer: Answer): Served {
  assert.equal(answer.status, 201, answer.text);
  return field(answer, "file") as Served;
}

/** Neither a row nor an object is left. */
async function isNothing(session: string): Promise<void> {
  const left = async () => {
    const keys = (await fixture.server.keys()).filter((key) => key.includes(`${session}/`));
    const rows = await fixture.server.query(session, "SELECT id FROM file").catch(() => []);
    return [...keys, ...rows];
  };
  await until(left, (all) => all.length === 0, "neither row nor object", 20_000);
}

/** Sends bytes as they are, and gives all that comes back. */
async function raw(session: string, head: string[], body: string | Uint8Array, ends = true) {
  const { hostname, port } = new URL(fixture.server.url);
  const socket = connect(Number(port), hostname);
  const token = await makeToken();
  const lines = [
    `POST /v1/sessions/${session}/files HTTP/1.1`,
    `host: ${hostname}`,
    `authorization: Bearer ${token}`,
    "connection: close",
    ...head,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  socket.write(body);
  if (ends) socket.end();
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("error", () => {});
  await within(new Promise((done) => socket.once("close", done)), "the end of the answer", 20_000);
  return text;
}

describe("a hostile upload", () => {
  test("P11.7 has a name that is neither a path nor a header, however it is meant", async () => {
    const session = fixture.session();
    const names = [
      "a\r\nset-cookie: b=c\r\n\r\n<script>",
      'a"; filename="b.html',
      "\u202egpj.exe",
      "\u2066a\u2069.\u200fexe",
      "../../etc/passwd",
      "..",
      "C:\\..\\a.exe",
      "a\0.png",
      "a".repeat(10_000),
      "\u{1f600}".repeat(1_000),
      "a;b='c'%0d%0a*()",
      "\u2028\u2029\u0085",
    ];
    for (const name of names) {
      const query = `?name=${encodeURIComponent(name)}`;
      const file = await upload(session, query, { body: "x", type: "text/html" });
      assert.doesNotMatch(file.name, /[\p{Cc}\p{Zl}\p{Zp}/\\":\u202a-\u202e\u2066-\u2069]/u, name);
      assert.doesNotMatch(file.name, /^\./, name);
      assert.ok([...file.name].length <= 200 && 0 < file.name.length, name);
      const { headers } = await within(fetch(file.url), "a file");
      const said = headers.get("content-disposition") ?? "";
      const form = /^attachment; filename="[ !#-~]*"; filename\*=UTF-8''([\w.~!-]|%[\dA-F]{2})+$/;
      assert.match(said, form, name);
      assert.equal(decodeURIComponent(said.split("UTF-8''")[1] ?? ""), file.name);
      assert.equal(headers.get("set-cookie"), null);
      assert.equal(headers.get("content-type"), BYTES);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.match(headers.get("content-security-policy") ?? "", /^sandbox; default-src 'none'/);
      assert.equal(headers.get("cross-origin-resource-policy"), "cross-origin");
    }
  });

  test("P11.7 is not unpacked, neither on its way in nor on its way out", async () => {
    const session = fixture.session();
    const bomb = gzipSync(new Uint8Array(50 * 1024 * 1024));
    const headers = { "content-encoding": "gzip" };
    const file = await upload(session, "", { body: bomb, type: "text/plain", headers });
    assert.equal(file.bytes, bomb.length);
    const response = await within(fetch(file.url), "a file");
    assert.equal(response.headers.get("content-encoding"), null);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), new Uint8Array(bomb));
  });

  test("P11.7 of no bytes is a file of none, which has no range", async () => {
    const session = fixture.session();
    const { url, bytes } = await upload(session, "", { body: "", type: "image/png" });
    assert.equal(bytes, 0);
    for (const range of ["bytes=0-", "bytes=-1", "bytes=0-0"]) {
      const response = await within(fetch(url, { headers: { range } }), "a file");
      assert.equal(response.status, 416, range);
      assert.equal(response.headers.get("content-range"), "bytes */0");
    }
    assert.equal(await (await within(fetch(url), "a file")).text(), "");
  });

  test("P11.7 that lies about its length, or is too long, leaves nothing", async () => {
    const session = fixture.cutSession();
    const long = { body: new Uint8Array(100_001), type: "image/png" };
    const refused = await call(fixture.server, session, "POST", "/files", long);
    assertRefused(refused, 413, "too-large");
    // More is said than comes.
    await raw(session, ["content-length: 1000", "content-type: image/png"], "short");
    await isNothing(session);
    for (const length of ["-1", "1e3", "x", "99999999999999999999999"]) {
      const text = await raw(session, [`content-length: ${length}`], "short");
      assert.doesNotMatch(text, /^HTTP\/1.1 2/, length);
    }
    await isNothing(session);
    // Less is said than comes: the rest is no part of it.
    const text = await raw(session, ["content-length: 3", "content-type: text/plain"], "abcdef");
    assert.match(text, /^HTTP\/1.1 201 /);
    const rows = await fixture.server.query(session, "SELECT bytes FROM file");
    assert.deepEqual(
      rows.map(({ bytes }) => bytes),
      [3],
    );
  });

  test("P11.7 that takes too long is ended, and leaves nothing", async () => {
    const session = fixture.cutSession();
    const stream = await streamBody(fixture.server, session, "/files", "image/png");
    stream.write("a");
    const answer = await within(stream.answer, "an answer", 20_000);
    assert.equal(answer.status, 500, answer.text);
    assert.match(answer.text, /it took too long/);
    await isNothing(session);
    stream.cut();
  });
});
