import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { text } from "../../src/agent/codec/text.ts";
import { contents, run } from "./codec.ts";

describe("plain text", () => {
  it("is one message", () => {
    const outcome = run(text, ["Hel", "lo", "", " there"]);
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
});
