// P11.7: the form in which files are served; no server is needed for that.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

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
