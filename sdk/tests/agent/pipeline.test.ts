// Several messages on their way, in one order, over a wire that loses frames and answers and to a
// session that refuses what comes too fast.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random, tokens } from "../../../tests/support/random.ts";
import { assertText } from "../../../tests/support/text.ts";
import { Output } from "../../src/agent/output.ts";
import { Pipeline } from "../../src/agent/pipeline.ts";
import { type Fault, Model } from "./model.ts";

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

function begin(model: Model, id = "t/1/text-0", name = "message") {
  const pipeline = new Pipeline(model);
  const output = (key = id) =>
    new Output(pipeline, { id: key, name, role: "assistant", turn: "t" });
  return { pipeline, output };
}

/** A wire that is bad by chance. */
function bad(random: Random, rate: number): () => Fault {
  return () => {
    if (random.below(20) >= rate) return "none";
    return (["rate-limited", "lost", "unanswered", "internal"] as const)[random.below(3)] ?? "none";
  };
}

describe("an answer of several messages", () => {
  it("reaches the log in the order of its source, whatever is lost or refused", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let round = 0; round < 60; round += 1) {
      const model = new Model();
      model.delayMs = random.below(4);
      model.fault = bad(random, random.below(6));
      const { pipeline, output } = begin(model);
      const said: string[] = [];
      const open: { id: string; output: Output; text: string }[] = [];
      const all: { id: string; text: string }[] = [];
      for (let step = 0; step < 60; step += 1) {
        const dice = random.below(5);
        const one = open[random.below(open.length || 1)];
        if (dice === 0 || !one) {
          const id = `m${all.length}`;
          const made = { id, output: output(id), text: "" };
          made.output.open({ text: "" });
          said.push(`create ${id}`);
          open.push(made);
          all.push(made);
        } else if (dice === 1) {
          open.splice(open.indexOf(one), 1);
          one.output.close({ status: "complete", headers: { n: one.id } });
          said.push(`end ${one.id}`);
        } else {
          const text = `<${one.id}.${step}>`;
          one.text += text;
          one.output.append({ text });
          said.push(`grow ${one.id} ${text}`);
        }
        if (random.below(3) === 0) await sleep(random.below(3));
        await pipeline.room();
      }
      for (const { id, output: last } of open) {
        last.close({ status: "complete" });
        said.push(`end ${id}`);
      }
      await pipeline.flush();
      assertOrder(model, said, `round ${round}`);
      for (const { id, text } of all) {
        assertText(model.find(id)?.data, text, `round ${round}, ${id}`);
        assert.equal(model.find(id)?.status, "complete");
      }
    }
  });

  it("sends creations together, and text that comes meanwhile", async () => {
    const model = new Model();
    const { pipeline, output } = begin(model);
    for (let n = 0; n < 1000; n += 1) output(`n${n}`).put({ data: { n } });
    const text = output("text");
    text.open({ text: "" });
    for (const word of tokens(2000)) text.append({ text: word });
    text.close({ status: "complete" });
    await pipeline.flush();
    assert.equal(model.messages.length, 1001);
    assertText(model.find("text")?.data, tokens(2000).join(""));
    assert.ok(model.frames.length < 25, `${model.frames.length} frames`);
  });

  it("tells each end in one frame", async () => {
    const model = new Model();
    const { pipeline, output } = begin(model);
    const [text, input] = [output("text"), output("input")];
    text.open({ text: "a", headers: { part: "0" } });
    input.open({ text: '{"a":' });
    await pipeline.flush();
    text.append({ text: "b" });
    input.append({ text: "1}" });
    await pipeline.flush();
    model.frames = [];
    text.close({ status: "complete", headers: { part: "0", more: "x" } });
    input.close({ status: "complete", data: { a: 1 }, headers: { state: "y" } });
    await pipeline.flush();
    assert.deepEqual(
      model.frames.map(({ type }) => type),
      ["append", "update"],
    );
    assert.deepEqual(model.find("text")?.headers, { part: "0", more: "x" });
    assert.deepEqual(model.find("input")?.data, { a: 1 });
  });

  it("keeps to the session's rate", async () => {
    const model = new Model();
    model.limits = { ...model.limits, framesPerSecond: 200, framesBurst: 10, publishMessages: 1 };
    const { pipeline, output } = begin(model);
    const began = performance.now();
    for (let n = 0; n < 12; n += 1) output(`n${n}`).put({ data: n });
    await sleep(0);
    const sent = model.frames.length;
    // A busy machine takes its time over it, in which more may be sent.
    const most = 8 + Math.ceil((performance.now() - began) * 0.2);
    assert.ok(sent <= most, `${sent} at once`);
    await pipeline.flush();
    assert.equal(model.messages.length, 12);
  });

  it("goes on without a message that is refused, which is named", async () => {
    const model = new Model();
    const { pipeline, output } = begin(model);
    const names = ["a", "odd", "b"];
    const outputs = names.map((id) => output(id));
    model.fault = (frame) =>
      frame.type === "publish" && frame.messages.some(({ id }) => id === "odd")
        ? "invalid-frame"
        : "none";
    for (const one of outputs) one.put({ data: 1 });
    await pipeline.flush();
    assert.deepEqual(
      model.messages.map(({ id }) => id),
      ["a", "b"],
    );
    await assert.rejects(outputs[1]?.done() ?? Promise.resolve(), { code: "invalid-frame" });
    await outputs[2]?.done();
  });

  it("goes on without a message that somebody has deleted", async () => {
    const model = new Model();
    const { pipeline, output } = begin(model);
    const [gone, stays] = [output("gone"), output("stays")];
    gone.open({ text: "a" });
    stays.open({ text: "b" });
    await pipeline.flush();
    const held = model.find("gone");
    if (held) held.isDeleted = true;
    gone.append({ text: "c" });
    stays.append({ text: "d" });
    gone.close({ status: "complete" });
    stays.close({ status: "complete" });
    await pipeline.flush();
    assert.deepEqual([model.find("stays")?.data, gone.error], ["bd", undefined]);
  });

  it("keeps only places of what was said", async () => {
    const model = new Model();
    const { pipeline, output } = begin(model);
    const one = output("one");
    one.open({ text: "long ".repeat(10_000) });
    one.close({ status: "complete" });
    await pipeline.flush();
    assert.equal(one.text, "");
  });
});

/** Text of a message may come in larger pieces, but not before or after what stood between. */
function assertOrder(model: Model, said: string[], what: string): void {
  const join = (steps: string[]) => {
    const joined: string[] = [];
    let key = "";
    for (const step of steps) {
      const [verb, id] = step.split(" ");
      if (verb === "grow" && key === `grow ${id}`)
        joined.push(`${joined.pop()}${step.slice(key.length + 1)}`);
      else joined.push(step);
      key = `${verb} ${id}`;
    }
    return joined;
  };
  assert.deepEqual(join(model.log), join(said), what);
}
