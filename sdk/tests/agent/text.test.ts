import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { text } from "../../src/agent/codec/text.ts";
import { contents, feed, run } from "./codec.ts";

describe("plain text", () => {
  it("is one message", () => {
    const outcome = feed(text, ["Hel", "lo", "", " there"]);
    assert.deepEqual(contents(outcome), [["message", "Hello there"]]);
    assert.equal(outcome.operations.length, 3, "an empty piece is no append");
  });

  it("may be bytes, cut anywhere", () => {
    const bytes = new TextEncoder().encode("naïve \u{1f44d}!");
    const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
    assert.deepEqual(contents(run(text, pieces)), [["message", "naïve \u{1f44d}!"]]);
  });

  it("may have another name", () => {
    const outcome = run(() => text({ name: "progress", headers: { of: "build" } }), ["10 %"]);
    assert.deepEqual(contents(outcome), [["progress", "10 %"]]);
    assert.deepEqual(outcome.messages[0]?.headers, { of: "build" });
  });

  it("is complete when it has ended, with or without anything in it", () => {
    const outcome = run(text, ["Hello"]);
    assert.deepEqual(outcome.operations.at(-1), { op: "close", key: "text-0", status: "complete" });
    assert.deepEqual(run(text, []).operations, []);
    assert.deepEqual(run(text, [new Uint8Array()]).messages[0]?.data, "");
  });

  it("drops no half of a character in silence", () => {
    const half = Uint8Array.of(0xf0, 0x9f, 0xa6);
    const bytes = (it: string) => new TextEncoder().encode(it);
    const ends = [
      [bytes("fox "), half],
      ["fox ", half],
      [bytes("fox "), half, ""],
    ];
    for (const pieces of ends) {
      const { messages, failure } = run(text, pieces);
      assert.deepEqual([messages[0]?.data, failure], ["fox \ufffd", undefined]);
    }
    assert.deepEqual(contents(run(text, [half])), [["message", "\ufffd"]]);
    assert.deepEqual(contents(run(text, [half, "fox"])), [["message", "\ufffdfox"]]);
  });
});
