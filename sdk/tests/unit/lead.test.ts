// The lead, folded from `attached` and frames; taking over and handing back (P8.8).

import assert from "node:assert/strict";
import { test } from "node:test";
import { LeadFeature } from "../../src/client/lead.ts";
import type { AttachedFrame, Engine, Leading, ServerFrame } from "../../src/index.ts";

const SUE: Leading = { client: "sue", since: 1, note: "let me" };
const TOM: Leading = { client: "tom", since: 2 };

function taken(lead: Leading): ServerFrame {
  return { type: "lead.take", serial: "x01", lead };
}

function returned(lead: Leading): ServerFrame {
  return { type: "lead.return", serial: "x02", lead, by: lead.client, wake: "last" };
}

function make(attached?: object, initial?: object) {
  const asked: unknown[] = [];
  let answer = (_: unknown) => {};
  const ask = (what: unknown) => {
    asked.push(what);
    return new Promise((done) => {
      answer = done;
    });
  };
  const link = { attached, request: ask, read: ask };
  const engine = { link, options: { initial }, changed: () => {} };
  const lead = new LeadFeature(engine as unknown as Engine);
  return { lead, asked, answer: (result: unknown) => answer(result) };
}

test("P8.8 the person who leads is known from the first frame, and by each change", () => {
  const { lead } = make(undefined, { lead: TOM });
  assert.equal(lead.value, TOM, "from a snapshot");
  lead.attached({ lead: SUE } as AttachedFrame);
  assert.equal(lead.value, SUE);
  lead.take(taken(TOM));
  assert.equal(lead.value, TOM);
  lead.take(returned(TOM));
  assert.equal(lead.value, undefined);
  lead.take(taken(TOM));
  lead.attached({} as AttachedFrame);
  assert.equal(lead.value, undefined, "returned while this page was away");
});

test("P8.8 one that begins late reads who leads, unless a frame says it first", async () => {
  const late = make({ client: "sue" });
  assert.deepEqual(late.asked, ["?rewind=0"]);
  late.answer({ lead: SUE });
  await new Promise(setImmediate);
  assert.deepEqual([late.lead.value, late.lead.isOwn], [SUE, true]);
  const told = make({ client: "sue" });
  told.lead.take(returned(SUE));
  told.answer({ lead: SUE });
  await new Promise(setImmediate);
  assert.deepEqual([told.lead.value, told.lead.isOwn], [undefined, false]);
});

test("P8.8 taking over and handing back are sent with an id, safe to repeat", async () => {
  const { lead, asked, answer } = make();
  const taking = lead.takeOver({ turns: "cancel", note: "let me" });
  const { id: first, ...take } = asked[0] as Record<string, unknown>;
  assert.deepEqual(take, { type: "lead.take", turns: "cancel", note: "let me" });
  answer({ lead: SUE });
  assert.equal(await taking, SUE);
  const returning = lead.handBack({ wake: "all" });
  const { id: second, ...back } = asked[1] as Record<string, unknown>;
  assert.deepEqual(back, { type: "lead.return", wake: "all" });
  assert.ok(first && second && first !== second);
  answer({ lead: null });
  await returning;
});
