// One message on its way, against a model of what a session does with appends (P5.3), over a
// wire that loses frames and answers, and a session that refuses what comes too fast.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random, tokens } from "../../../tests/support/random.ts";
import { assertText } from "../../../tests/support/text.ts";
import { type Outlet, Output } from "../../src/agent/output.ts";
import type { AppendFrame, ClientFrame, Placed } from "../../src/protocol/index.ts";
import { SessileError } from "../../src/protocol/index.ts";

type Fault = "none" | "lost" | "unanswered" | "too fast";

/** A session that holds one message. */
class Model implements Outlet {
  data: unknown;
  headers: unknown;
  status: string | undefined;
  seq = 0;
  frames: ClientFrame[] = [];
  isThere = false;
  fault: (frame: ClientFrame) => Fault = () => "none";

  ask(frame: ClientFrame): Promise<never> {
    return this.#answer(frame, () => this.take(frame)) as Promise<never>;
  }

  once(frame: AppendFrame): Promise<Placed> {
    return this.#answer(frame, () => this.append(frame));
  }

  connected(): Promise<void> {
    return new Promise((done) => setTimeout(done));
  }

  async #answer<T>(frame: ClientFrame, take: () => T): Promise<T> {
    this.frames.push(frame);
    // Everything else is asked again by the session until it is answered.
    const fault = frame.type === "append" ? this.fault(frame) : "none";
    if (fault === "too fast") throw refusal("rate-limited", { retryAfterMs: 1 });
    if (fault === "lost") throw new SessileError("disconnected", "lost");
    const result = take();
    // The order of answers is that of the frames.
    await new Promise((done) => setImmediate(done));
    if (fault === "unanswered") throw new SessileError("disconnected", "unanswered");
    return result;
  }

  take(frame: ClientFrame): unknown {
    if (frame.type === "publish") {
      const [message] = frame.messages;
      const duplicate = this.isThere;
      if (!duplicate) {
        this.data = message?.data;
        this.status = message?.status;
        this.headers = message?.headers;
      }
      this.isThere = true;
      return { messages: [{ serial: "s1", version: "v1", ...(duplicate && { duplicate }) }] };
    }
    if (frame.type === "update" && !(frame.seq !== undefined && frame.seq < this.seq)) {
      if ("data" in frame) this.data = frame.data;
      if (frame.headers) this.headers = frame.headers;
      this.seq = frame.seq ?? this.seq;
    }
    if (frame.type === "delete") this.status = "deleted";
    return {};
  }

  append({ seq = 0, data = "", status }: AppendFrame): Placed {
    if (seq > this.seq + 1) {
      if (this.status !== "streaming") throw refusal("closed", {});
      const length = String(this.data).length;
      throw refusal("gap", { expectedSeq: this.seq + 1, length });
    }
    if (seq === this.seq + 1) {
      if (this.status !== "streaming") throw refusal("closed", {});
      assert.ok(data.isWellFormed(), "an append cuts no character");
      this.data = `${this.data}${data}`;
      this.seq = seq;
      this.status = status ?? this.status;
    }
    return { serial: "s1", version: "v1", seq };
  }
}

function refusal(
  code: "gap" | "closed" | "rate-limited" | "forbidden",
  more: object,
): SessileError {
  return SessileError.of({ code, status: 409, message: code, ...more });
}

const HEAD = { id: "t/1/text-0", name: "message", role: "assistant", turn: "t" } as const;

describe("a message on its way", () => {
  it("arrives whole, whatever is lost on the way", async (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let round = 0; round < 40; round += 1) {
      const model = new Model();
      const rate = random.below(4);
      let isLost = 0;
      model.fault = () => {
        // A connection that goes takes with it everything that follows.
        if (isLost > 0) {
          isLost -= 1;
          return "lost";
        }
        const dice = random.below(10);
        if (dice >= rate) return "none";
        if (random.below(3) === 0) return "too fast";
        isLost = random.below(4);
        return random.below(2) === 0 ? "lost" : "unanswered";
      };
      const output = new Output(model, HEAD);
      const pieces = tokens(60).map((token) => token.repeat(1 + random.below(200)));
      output.open({ text: pieces[0] ?? "" });
      for (const text of pieces.slice(1)) {
        output.append({ text });
        if (random.below(2) === 0) await new Promise((done) => setTimeout(done, random.below(4)));
        await output.room();
      }
      output.close({ status: "complete", headers: { round: String(round) } });
      await output.done();
      assertText(model.data, pieces.join(""), `round ${round}`);
      assert.equal(model.status, "complete");
      assert.deepEqual(model.headers, { round: String(round) });
    }
  });

  it("sends text that comes meanwhile together", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    output.open({ text: "" });
    for (const text of tokens(2000)) output.append({ text });
    output.close({ status: "complete" });
    await output.done();
    assertText(model.data, tokens(2000).join(""));
    assert.ok(model.frames.length < 20, `${model.frames.length} frames`);
  });

  it("cuts between characters, and holds back half of one", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    const text = "\u{1f44d}".repeat(20_000);
    output.open({ text: text.slice(0, 8191) });
    output.append({ text: text.slice(8191) });
    output.append({ text: "\ud83d" });
    await output.done();
    assertText(model.data, text);
    output.close({ status: "complete" });
    await output.done();
    assertText(model.data, `${text}\ufffd`);
  });

  it("takes over what an earlier attempt left streaming, by saying it whole", async () => {
    const model = new Model();
    Object.assign(model, { isThere: true, status: "streaming", data: "the old text", seq: 7 });
    const output = new Output(model, HEAD);
    output.open({ text: "the new " });
    output.append({ text: "text" });
    output.close({ status: "complete" });
    await output.done();
    assert.deepEqual([model.data, model.status], ["the new text", "complete"]);
  });

  it("replaces what an earlier attempt left complete", async () => {
    const model = new Model();
    Object.assign(model, { isThere: true, status: "complete", data: "the old text", seq: 7 });
    const output = new Output(model, HEAD);
    output.open({ text: "the new " });
    output.append({ text: "text" });
    output.close({ status: "complete" });
    await output.done();
    assert.equal(model.data, "the new text");
    const whole = new Output(model, HEAD);
    whole.put({ data: { step: 1 } });
    await whole.done();
    assert.deepEqual(model.data, { step: 1 });
  });

  it("says it whole where somebody else has changed it", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    output.open({ text: "one" });
    await output.done();
    model.data = "something much longer than that";
    model.fault = ({ type }) => (type === "append" && model.seq === 0 ? "too fast" : "none");
    output.append({ text: " two" });
    model.fault = () => "none";
    model.seq = -1;
    output.close({ status: "complete" });
    await output.done();
    assert.equal(model.data, "one two");
  });

  it("is replaced by the latest, without those between", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    for (let step = 0; step < 100; step += 1) output.put({ data: { step } });
    await output.done();
    assert.deepEqual(model.data, { step: 99 });
    assert.equal(model.frames.length, 2);
  });

  it("ends as what the provider says it is", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    output.open({ text: '{"a":' });
    output.append({ text: "1}" });
    output.close({ status: "complete", data: { a: 1 } });
    await output.done();
    assert.deepEqual([model.data, model.status], [{ a: 1 }, "complete"]);
  });

  it("is taken back", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    output.open({ text: "wrong" });
    output.drop();
    await output.done();
    assert.equal(model.status, "deleted");
  });

  it("rejects with what the session refused", async () => {
    const model = new Model();
    const output = new Output(model, HEAD);
    output.open({ text: "one" });
    await output.done();
    model.append = () => {
      throw refusal("forbidden", {});
    };
    output.append({ text: "two" });
    await assert.rejects(output.done(), { code: "forbidden" });
    await output.room();
  });
});
