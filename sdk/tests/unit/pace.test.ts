// The even pace of growing text, by a clock of the test's own.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../tests/support/random.ts";
import type { SessionSnapshot } from "../../src/client/types.ts";
import { PacedChunks } from "../../src/pace/chunks.ts";
import { paced, windowOf } from "../../src/pace/flow.ts";
import { PacedMessages } from "../../src/pace/messages.ts";
import type { Clock } from "../../src/pace/page.ts";
import type { Message, Turn } from "../../src/protocol/index.ts";

const WINDOW_MS = 250;
const FRAME_MS = 10;

/** A page whose frames come when the test says so. */
class Frames implements Clock {
  ms = 0;
  isVisible = true;
  #calls: (() => void)[] = [];

  now = () => this.ms;
  isSeen = () => this.isVisible;
  inNextFrame = (call: () => void) => void this.#calls.push(call);

  /** Whether something waits for the next frame. */
  get isAwaited(): boolean {
    return this.#calls.length > 0;
  }

  pass(ms: number): void {
    this.ms += ms;
    for (const call of this.#calls.splice(0)) call();
  }
}

function text(data: string, more: Partial<Message> = {}): Message {
  const times = { createdAt: 0, updatedAt: 0, version: String(data.length) };
  const message = { serial: "1", client: "bot", name: "message", turn: "t", status: "streaming" };
  return { ...message, ...times, data, ...more } as Message;
}

/** A page that looks at these messages in each frame. */
function pageOf() {
  const clock = new Frames();
  const messages = new PacedMessages(WINDOW_MS, clock);
  let snapshot = {
    messages: [],
    turns: [] as readonly Turn[],
    connection: { state: "connected" },
  } as unknown as SessionSnapshot;
  const look = () => messages.look(snapshot);
  look();
  return {
    clock,
    messages,
    has(more: Partial<SessionSnapshot>) {
      snapshot = { ...snapshot, ...more };
      return look();
    },
    frame(ms = FRAME_MS) {
      clock.pass(ms);
      return look();
    },
    get shown() {
      return messages.show(snapshot.messages).map(({ data }) => data);
    },
  };
}

describe("messages at an even pace", () => {
  test("show their first text at once, and each later part over one window", () => {
    const page = pageOf();
    page.has({ messages: [text("H")] });
    assert.deepEqual(page.shown, ["H"]);
    const whole = `H${"x".repeat(100)}`;
    page.has({ messages: [text(whole)] });
    assert.deepEqual(page.shown, ["H"]);
    let before = 1;
    const steps: number[] = [];
    for (let ms = 0; ms < WINDOW_MS; ms += FRAME_MS) {
      page.frame();
      const length = String(page.shown[0]).length;
      steps.push(length - before);
      before = length;
    }
    assert.deepEqual(page.shown, [whole]);
    assert.ok(Math.max(...steps) <= 5 && Math.min(...steps) >= 3, `${steps}`);
    assert.ok(!page.messages.isBehind);
  });

  test("are never more than one window behind, nor ahead of what is stored", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const random = new Random(seed);
      const page = pageOf();
      let stored = "a";
      page.has({ messages: [text(stored)] });
      const history: [number, number][] = [[0, 1]];
      for (let step = 0; step < 200; step += 1) {
        if (random.below(8) === 0) {
          stored += "b".repeat(random.below(60));
          page.has({ messages: [text(stored)] });
          history.push([page.clock.ms, stored.length]);
        }
        page.frame(random.between(1, 40));
        const { length } = String(page.shown[0]);
        const due = history.findLast(([ms]) => ms <= page.clock.ms - WINDOW_MS)?.[1] ?? 0;
        assert.ok(length >= due && length <= stored.length, `seed ${seed}: ${length} of ${due}`);
      }
    }
  });

  test("are whole with their status, when they end, and when their turn is cancelled", () => {
    const page = pageOf();
    page.has({ messages: [text("a")] });
    page.has({ messages: [text("a long answer")] });
    page.has({ messages: [text("a long answer", { status: "complete" })] });
    assert.deepEqual(page.shown, ["a long answer"]);
    const other = pageOf();
    other.has({ messages: [text("a")] });
    other.has({ messages: [text("a long answer")] });
    const turn = { id: "t", status: "active", cancel: { by: "ada", at: 0 } } as unknown as Turn;
    other.has({ turns: [turn] });
    assert.deepEqual(other.shown, ["a long answer"]);
  });

  test("show a replay whole, and a text that is another one", () => {
    const page = pageOf();
    page.has({ messages: [text("a long beginning")] });
    assert.deepEqual(page.shown, ["a long beginning"], "somebody who joins late");
    page.has({ connection: { state: "waiting" } });
    page.has({ messages: [text("a long beginning and what was missed")] });
    page.has({ connection: { state: "connected" } });
    assert.deepEqual(page.shown, ["a long beginning and what was missed"]);
    page.has({ messages: [text("another text, by another process")] });
    assert.deepEqual(page.shown, ["another text, by another process"]);
    page.has({ messages: [text(`another text, by another process${"x".repeat(70_000)}`)] });
    assert.equal(String(page.shown[0]).length, 70_032, "more than any window holds");
  });

  test("split no character", () => {
    const page = pageOf();
    const family = "👨‍👩‍👧‍👦";
    page.has({ messages: [text("a")] });
    const whole = `a${family}e\u0301${"🌊".repeat(20)}`;
    page.has({ messages: [text(whole)] });
    const starts = [...new Intl.Segmenter().segment(whole)].map(({ index }) => index);
    for (let ms = 0; ms < WINDOW_MS; ms += 2) {
      page.frame(2);
      const { length } = String(page.shown[0]);
      assert.ok(length === whole.length || starts.includes(length), `cut at ${length}`);
    }
    assert.deepEqual(page.shown, [whole]);
  });

  test("show everything at once where nobody sees a pace", () => {
    const page = pageOf();
    page.clock.isVisible = false;
    page.has({ messages: [text("a")] });
    page.has({ messages: [text("a long answer")] });
    assert.deepEqual(page.shown, ["a long answer"]);
    page.clock.isVisible = true;
    page.has({ messages: [text("a long answer, going on")] });
    page.frame();
    page.clock.isVisible = false;
    page.frame();
    assert.deepEqual(page.shown, ["a long answer, going on"]);
  });

  test("are the same objects until more of them shows", () => {
    const page = pageOf();
    const other = text("done", { serial: "2", status: "complete" });
    page.has({ messages: [text("a"), other] });
    const messages = [text("a long answer"), other];
    const whole = page.messages.show(messages);
    page.has({ messages });
    const first = page.messages.show(messages);
    assert.notEqual(first, whole);
    assert.equal(page.messages.show(messages), first);
    assert.equal(first[1], other);
    page.frame(100);
    const second = page.messages.show(messages);
    assert.notEqual(second[0], first[0]);
    page.frame(WINDOW_MS);
    assert.equal(page.messages.show(messages), messages, "nothing is held back");
  });
});

describe("chunks at an even pace", () => {
  const delta = (value: string, id = "1") => ({ chunk: { type: "text-delta", id, delta: value } });
  const start = { chunk: { type: "text-start", id: "1" } };
  const end = { chunk: { type: "text-end", id: "1" } };

  function streamOf() {
    const clock = new Frames();
    const given: { type: string; id: string; delta?: string }[] = [];
    const chunks = new PacedChunks<(typeof given)[0]>(WINDOW_MS, clock);
    const take = () => given.push(...chunks.take().map(({ chunk }) => chunk));
    chunks.due = take;
    return {
      clock,
      given,
      chunks,
      put(items: { chunk: (typeof given)[0] }[], isLive = true) {
        chunks.put(items, isLive);
        take();
      },
      get text() {
        return given.map((chunk) => chunk.delta ?? `<${chunk.type}>`).join("");
      },
    };
  }

  test("come over one window, in order, and never lose a part", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const random = new Random(seed);
      const stream = streamOf();
      stream.put([start]);
      let said = "<text-start>";
      const history: [number, number][] = [];
      for (let step = 0; step < 150; step += 1) {
        const pieces = Array.from({ length: random.below(3) }, () =>
          random.pick(["a", "bb ", "🌊", "👨‍👩‍👧", "x".repeat(30)]),
        );
        if (random.below(5) === 0) {
          stream.put(pieces.map((piece) => delta(piece, String(random.below(2)))));
          said += pieces.join("");
          history.push([stream.clock.ms, said.length]);
        }
        stream.clock.pass(random.between(1, 60));
        const due = history.findLast(([ms]) => ms <= stream.clock.ms - WINDOW_MS)?.[1] ?? 0;
        assert.ok(said.startsWith(stream.text), `seed ${seed}: ${stream.text}`);
        assert.ok(stream.text.length >= due, `seed ${seed}: ${stream.text.length} of ${due}`);
        assert.ok(stream.text.isWellFormed());
      }
      stream.put([end]);
      assert.equal(stream.text, `${said}<text-end>`);
      stream.clock.pass(FRAME_MS);
      assert.ok(!stream.clock.isAwaited, "no frame is asked for when nothing waits");
    }
  });

  test("show no more than twice the even share in a frame, where windows come evenly", () => {
    const stream = streamOf();
    stream.put([start, delta("H")]);
    const steps: number[] = [];
    for (let ms = 0; ms < 20 * WINDOW_MS; ms += FRAME_MS) {
      if (ms % WINDOW_MS === 0) stream.put([delta("x".repeat(100))]);
      const before = stream.text.length;
      stream.clock.pass(FRAME_MS);
      steps.push(stream.text.length - before);
    }
    const even = (100 * FRAME_MS) / WINDOW_MS;
    assert.ok(Math.max(...steps) <= 2 * even, `${Math.max(...steps)} in a frame`);
    assert.ok(steps.filter((step) => step === 0).length < steps.length / 20, "it does not stand");
  });

  test("come at once in a replay, with anything else, and in a page that nobody sees", () => {
    const stream = streamOf();
    stream.put([delta("what was missed")], false);
    assert.equal(stream.text, "what was missed");
    stream.put([delta(" and more")]);
    stream.put([end]);
    assert.equal(stream.text, "what was missed and more<text-end>");
    stream.clock.isVisible = false;
    stream.put([delta("hidden")]);
    assert.match(stream.text, /hidden$/);
    stream.clock.isVisible = true;
    stream.put([delta(" again")]);
    stream.clock.isVisible = false;
    stream.clock.pass(FRAME_MS);
    assert.match(stream.text, / again$/);
  });

  test("are TanStack AI's as well, and leave the inputs of calls alone", () => {
    const stream = streamOf();
    const content = { chunk: { type: "TEXT_MESSAGE_CONTENT", id: "1", delta: "a long answer" } };
    stream.put([content]);
    assert.equal(stream.text, "");
    stream.put([{ chunk: { type: "TOOL_CALL_ARGS", id: "1", delta: '{"city":' } }]);
    assert.equal(stream.text, 'a long answer{"city":');
  });
});

describe("the window of a paced page", () => {
  test("is 320 ms, unless the options say another or none", (t) => {
    assert.deepEqual(paced({}), {}, "where there is no page");
    t.after(() => Reflect.deleteProperty(globalThis, "document"));
    Object.assign(globalThis, { document: {} });
    assert.deepEqual(paced({}), { rollup: 320 });
    assert.deepEqual(paced({ rollup: 100 }), { rollup: 100 });
    assert.deepEqual(paced({ pace: false }), { pace: false });
    const of = (options: object) => windowOf({ link: { options: options as never } });
    assert.deepEqual([of({}), of({ rollup: 100 }), of({ rollup: 100, pace: false })], [40, 100, 0]);
  });
});
