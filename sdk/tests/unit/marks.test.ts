// Read marks, folded from `attached` and `read.mark` (P9.5).

import assert from "node:assert/strict";
import { test } from "node:test";
import { MarksFeature } from "../../src/client/marks.ts";
import type { AttachedFrame, Engine, ReadMark, ServerFrame } from "../../src/index.ts";

const mark = (client: string, serial: string): ReadMark => ({ client, serial });
const told = (client: string, serial: string): ServerFrame => ({
  ...{ type: "read.mark", client, serial },
});

function make(attached?: object) {
  let answer = (_: unknown) => {};
  const read = () =>
    new Promise((done) => {
      answer = done;
    });
  const engine = { link: { attached, read }, options: {}, changed: () => {} };
  const marks = new MarksFeature(engine as unknown as Engine);
  return { marks, answer: (result: unknown) => answer(result) };
}

test("P9.5 marks begin with the first frame, and move forward only", () => {
  const { marks } = make();
  marks.attached({ marks: [mark("ann", "x1")] } as AttachedFrame);
  marks.take(told("bob", "x2"));
  marks.take(told("ann", "x3"));
  const { value } = marks;
  assert.deepEqual(value, [mark("bob", "x2"), mark("ann", "x3")]);
  marks.take(told("ann", "x2"));
  assert.equal(marks.value, value, "no new list");
  marks.attached({} as AttachedFrame);
  assert.deepEqual(marks.value, []);
});

test("P9.5 one that begins late reads the marks, and keeps those that came meanwhile", async () => {
  const { marks, answer } = make({ client: "ann" });
  marks.take(told("ann", "x3"));
  answer({ marks: [mark("ann", "x2"), mark("bob", "x1")], unread: 0 });
  await new Promise(setImmediate);
  assert.deepEqual(marks.value, [mark("bob", "x1"), mark("ann", "x3")]);
});
