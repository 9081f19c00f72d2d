// Branches (P6.9): the session keeps every sibling, and says enough to rebuild the tree.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message, Turn } from "../support/frames.ts";
import { getHistory, getPage } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import { agent, end, getSnapshot, getTurns, start, USER } from "../support/turns.ts";

const fixture = useServer();

/** The tree as a reader rebuilds it: nodes are turns, and messages without one. */
function tree(messages: readonly Message[], turns: readonly Turn[]): Map<string, string[]> {
  const children = new Map<string, string[]>();
  const add = (parent: string, child: string) =>
    children.set(parent, [...(children.get(parent) ?? []), child]);
  const nodes = new Map(messages.map((message) => [message.serial, message.turn]));
  const under = (parent: string | undefined) =>
    parent === undefined ? "" : (nodes.get(parent) ?? parent);
  for (const message of messages) {
    if (message.turn === undefined) add(under(message.parent), message.serial);
  }
  for (const turn of turns) add(under(turn.input ?? turn.parent), turn.id);
  return children;
}

test("P6.9 an edit and a second answer are siblings, and history rebuilds the tree", async () => {
  const session = fixture.session();
  const scribe = await agent(fixture.server, session);
  const ann = await connect(fixture.server, session, USER);
  const answer = async (id: string, input: string, fields = {}) => {
    const turn = await start(scribe, { id, input, ...fields });
    const role = "assistant";
    const serial = await scribe.publish(`answer of ${id}`, { turn: turn.id, role, parent: input });
    await end(scribe, turn.id);
    return serial;
  };
  const first = await ann.publish("a question");
  const said = await answer("one", first);
  await answer("two", first, { again: true });
  const edited = await ann.publish("a better question");
  await answer("three", edited);
  const more = await ann.publish("and then?", { parent: said });
  await answer("four", more);
  const freely = await start(scribe, { id: "five", parent: said });
  await end(scribe, freely.id);

  const expected = new Map([
    ["", [first, edited]],
    [first, ["one", "two"]],
    ["one", [more, "five"]],
    [edited, ["three"]],
    [more, ["four"]],
  ]);
  const { turns } = await getTurns(fixture.server, session, "?status=all");
  const oldestFirst = [...turns].reverse();
  const history = await getHistory(fixture.server, session);
  assert.deepEqual(tree(history, oldestFirst), expected);

  const page = await getPage(fixture.server, session);
  const named = ["one", "two", "three", "four"];
  assert.deepEqual(page.turns?.map((turn) => turn.id).sort(), [...named].sort());
  const snapshot = await getSnapshot(fixture.server, session);
  assert.deepEqual(snapshot.turns.map((turn) => turn.id).sort(), [...named].sort());
  const cold = new Reader(fixture.server, session, USER);
  await cold.attach();
  assert.deepEqual([...cold.fold.turns.keys()].sort(), [...named].sort());
  cold.fold.assertSound();
});

test("P6.9, P6.2 what a branch begins from must exist", async () => {
  const session = fixture.session();
  const scribe = await agent(fixture.server, session);
  const ann = await connect(fixture.server, session, USER);
  const elsewhere = await connect(fixture.server, fixture.session(), USER);
  const other = await elsewhere.publish("in another session");
  for (const serial of [other, "zzzz00000001"]) {
    await scribe.refused({ type: "turn.start", input: serial }, "not-found");
    await scribe.refused({ type: "turn.start", parent: serial }, "not-found");
    await ann.refused({ type: "publish", messages: [{ data: "x", parent: serial }] }, "not-found");
  }
  const gone = await ann.publish("x");
  await ann.ok({ type: "delete", serial: gone });
  await ann.publish("after what was deleted", { parent: gone });
});
