// One message on its way, against a model of what a session does with appends (P5.3).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random, tokens } from "../../../tests/support/random.ts";
import { assertText } from "../../../tests/support/text.ts";
import { Output } from "../../src/agent/output.ts";
import { Pipeline } from "../../src/agent/pipeline.ts";
import { type Held, Model } from "./model.ts";

const ID = "t/1/text-0";

function begin(model = new Model(), id = ID) {
  const pipeline = new Pipeline(model);
  const output = new Output(pipeline, { id, name: "message", role: "assistant", turn: "t" });
  const held = () => model.find(id) as Held;
  return { model, pipeline, output, held };
}

/** A session in which an earlier attempt has said something. */
function later(before: Partial<Held>): Model {
  const model = new Model();
  model.attempt = 2;
  const message = { name: "message", headers: {}, seq: 0, isDeleted: false, status: undefined };
  model.held.set("s", { ...message, serial: "s", id: ID, data: "", ...before });
  return model;
}

describe("a message on its way", () => {
  it("arrives whole, whatever is lost on the way", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let round = 0; round < 40; round += 1) {
      const { model, pipeline, output, held } = begin();
      const rate = random.below(4);
      model.fault = () => {
        if (random.below(10) >= rate) return "none";
        return (["rate-limited", "lost", "unanswered"] as const)[random.below(3)] ?? "none";
      };
      const pieces = tokens(60).map((token) => token.repeat(1 + random.below(200)));
      output.open({ text: pieces[0] ?? "" });
      for (const text of pieces.slice(1)) {
        output.append({ text });
        if (random.below(2) === 0) await new Promise((done) => setTimeout(done, random.below(4)));
        await pipeline.room();
      }
      output.close({ status: "complete", headers: { round: String(round) } });
      await output.done();
      assertText(held().data, pieces.join(""), `round ${round}`);
      assert.equal(held().status, "complete");
      assert.deepEqual(held().headers, { round: String(round) });
    }
  });

  it("cuts between characters, and holds back half of one", async () => {
    const { output, held } = begin();
    const text = "\u{1f44d}".repeat(20_000);
    output.open({ text: text.slice(0, 8191) });
    output.append({ text: text.slice(8191) });
    output.append({ text: "\ud83d" });
    await output.done();
    assertText(held().data, text);
    output.close({ status: "complete" });
    await output.done();
    assertText(held().data, `${text}\ufffd`);
  });

  it("takes over what an earlier attempt left streaming, by saying it whole", async () => {
    const model = later({ status: "streaming", data: "the old text", seq: 7 });
    const { output, held } = begin(model);
    output.open({ text: "the new " });
    await new Promise((done) => setTimeout(done));
    output.append({ text: "text" });
    output.close({ status: "complete" });
    await output.done();
    assert.deepEqual([held().data, held().status], ["the new text", "complete"]);
  });

  it("replaces what an earlier attempt left complete", async () => {
    const model = later({ status: "complete", data: "the old text", seq: 7 });
    const { output, held } = begin(model);
    output.open({ text: "the new " });
    await new Promise((done) => setTimeout(done));
    output.append({ text: "text" });
    output.close({ status: "complete" });
    await output.done();
    assert.equal(held().data, "the new text");
    const { output: whole } = begin(model);
    whole.put({ data: { step: 1 } });
    await whole.done();
    assert.deepEqual(held().data, { step: 1 });
  });

  it("says it whole where somebody else has changed it", async () => {
    const { model, output, held } = begin();
    output.open({ text: "one" });
    await output.done();
    held().data = "something much longer than that";
    held().seq = -1;
    output.append({ text: " two" });
    await output.done();
    output.close({ status: "complete" });
    await output.done();
    assert.equal(held().data, "one two");
    assert.equal(held().status, "complete");
    assert.equal(model.messages.length, 1);
  });

  it("is replaced by the latest, without those between", async () => {
    const { model, output, held } = begin();
    for (let step = 0; step < 100; step += 1) output.put({ data: { step } });
    await output.done();
    for (let step = 0; step < 100; step += 1) output.put({ data: { step: -step } });
    await output.done();
    assert.deepEqual(held().data, { step: -99 });
    assert.equal(model.frames.length, 2);
  });

  it("is taken back", async () => {
    const { model, output } = begin();
    output.open({ text: "wrong" });
    await output.done();
    output.drop();
    await output.done();
    assert.equal(model.messages.length, 0);
  });

  it("rejects with what the session refused", async () => {
    const { model, output } = begin();
    output.open({ text: "one" });
    await output.done();
    model.fault = () => "forbidden";
    output.append({ text: "two" });
    await assert.rejects(output.done(), { code: "forbidden" });
  });
});

describe("a value that is odd", () => {
  it("has no halves of surrogate pairs, wherever they were", async () => {
    const { model, output, held } = begin(new Model(), "t/\ud83d");
    output.put({ data: { "a\ud83d": ["\udc4d"] }, headers: { title: "x\ud83d" } });
    await output.done();
    const [message] = model.messages;
    assert.equal(held(), undefined);
    assert.deepEqual(message?.data, { "a\ufffd": ["\ufffd"] });
    assert.deepEqual(message?.headers, { title: "x\ufffd" });
    assert.equal(message?.id, "t/\ufffd");
  });

  it("has an id of its own, however long it is", async () => {
    const model = new Model();
    const ids = ["a", "b"].map((end) => `${"long/".repeat(100)}${end}`);
    for (const id of [...ids, ...ids]) {
      const { output } = begin(model, id);
      output.put({ data: id });
      await output.done();
    }
    assert.equal(model.messages.length, 2, "the same id is the same message, another is not");
  });

  it("keeps long headers in notes ahead of it", async () => {
    const { model, output, held } = begin();
    const long = JSON.stringify({ signature: "AY89".repeat(2000) });
    output.open({ text: "", headers: { part: "0", toolCallId: "c".repeat(5000) } });
    output.append({ text: "x" });
    output.close({ status: "complete", headers: { part: "0", providerMetadata: long } });
    await output.done();
    const notes = model.messages.filter(({ name }) => name === "notes");
    assert.deepEqual(held().headers, { part: "0" });
    assert.deepEqual(
      notes.map(({ data, headers }) => [Object.keys(data as object), headers]),
      [
        [["toolCallId"], { of: ID }],
        [["providerMetadata"], { of: ID }],
      ],
    );
    const at = (text: string) => model.log.indexOf(text);
    assert.ok(at(`create ${ID}/notes`) < at(`create ${ID}`), "known with the message");
    assert.ok(at(`create ${ID}/notes-2`) < at(`end ${ID}`), "known with its end");
  });

  it("is said in pieces where no frame can hold it", async () => {
    const { model, output, held } = begin();
    const data = { content: "line\n".repeat(160_000) };
    output.put({ data, headers: { toolCallId: "c" } });
    await output.done();
    assert.deepEqual(held().headers, { toolCallId: "c", encoding: "json" });
    assert.deepEqual(JSON.parse(String(held().data)), data);
    assert.equal(held().status, "complete");
    output.put({ data: { content: "other ".repeat(100_000) } });
    await output.done();
    const [only, ...more] = model.messages;
    assert.match(String(only?.data), /^{"content":"other /);
    assert.equal(more.length, 0, "what was replaced is gone");
  });

  it("stays the text that it came in where no frame can hold the value", async () => {
    const { output, held } = begin();
    const value = { path: "a.txt", content: "line\n".repeat(100_000) };
    const json = JSON.stringify(value, null, 1);
    output.open({ text: json.slice(0, 100), headers: { toolCallId: "c" } });
    output.append({ text: json.slice(100) });
    output.close({ status: "complete", data: value });
    await output.done();
    assert.deepEqual(held().headers, { toolCallId: "c", encoding: "json" });
    assert.equal(held().data, json);
    assert.equal(held().status, "complete");
  });

  it("is left out by name beyond what a message may hold, and harms nothing else", async () => {
    const { model, output, held } = begin();
    output.put({ data: "x".repeat(2_000_000) });
    await output.done();
    assert.deepEqual([held().data, held().headers], [null, { omitted: "2000000 characters" }]);
    const { output: text, pipeline } = begin(model, "text");
    text.open({ text: "" });
    for (let n = 0; n < 200; n += 1) text.append({ text: "y".repeat(8000) });
    text.close({ status: "complete" });
    await assert.rejects(text.done(), { code: "too-large" });
    await pipeline.flush();
    assert.equal(model.find("text")?.status, "failed");
    assert.ok(String(model.find("text")?.data).length > 900_000, "what fits is kept");
  });
});
