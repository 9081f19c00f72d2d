// Branches (P6.9): what is seen of a log in which things were edited and answered again.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message, Turn } from "../../src/index.ts";
import { Tree } from "../../src/log/tree.ts";
import { AGAIN, EDITS } from "../../src/protocol/index.ts";

type Fields = Partial<Message>;

/** A log from serials and what is special about each message, in order. */
function log(entries: Record<string, Fields>): Message[] {
  return Object.entries(entries).map(([serial, fields]) => ({
    serial,
    version: serial,
    name: "message",
    client: "alice",
    role: "user",
    createdAt: 1,
    updatedAt: 1,
    ...fields,
  }));
}

function turns(inputs: Record<string, Partial<Turn>>): Map<string, Turn> {
  const entries = Object.entries(inputs).map(([id, fields]): [string, Turn] => [
    id,
    { id, status: "complete", attempt: 1, createdAt: 1, ...fields },
  ]);
  return new Map(entries);
}

function seen(tree: Tree<Message>): string {
  return tree.messages.map(({ serial }) => serial).join(" ");
}

/** Selects like a session does. */
function select(selected: Map<string, string>, tree: Tree<Message>, id: string): void {
  const choice = tree.choice(id);
  assert.ok(choice, `there is ${id}`);
  selected.set(...choice);
}

const CHAT = log({ a: {}, b: { turn: "t1" }, c: { turn: "t1" }, d: {}, e: { turn: "t2" } });
const INPUTS = turns({ t1: { input: "a" }, t2: { input: "d" } });

describe("branches", () => {
  test("a chat without any is the log itself", () => {
    const tree = new Tree(CHAT, INPUTS, new Map());
    assert.equal(tree.messages, CHAT, "the same list");
    assert.deepEqual(tree.branches("d"), { options: ["d"], index: 0 });
    assert.equal(tree.head, undefined, "what is sent follows by itself");
  });

  test("tombstones are not seen", () => {
    const [first, ...rest] = CHAT;
    assert.ok(first);
    const tree = new Tree([{ ...first, deletedAt: 1 }, ...rest], INPUTS, new Map());
    assert.equal(seen(tree), "b c d e");
  });

  test("of two tombstones that were versions of one message, the selected one is followed", () => {
    const [edits, deletedAt] = [{ headers: { [EDITS]: "a" } }, 1];
    const versions = { a: { deletedAt }, b: { ...edits, deletedAt } };
    const both = log({ ...versions, c: { turn: "t1" }, d: { turn: "t2" }, e: { parent: "d" } });
    const inputs = turns({ t1: { input: "a" }, t2: { input: "b" } });
    const tree = new Tree(both, inputs, new Map());
    assert.equal(seen(tree), "c d e", "nobody has chosen");
    const selected = new Map<string, string>();
    select(selected, tree, "b");
    assert.equal(seen(new Tree(both, inputs, selected)), "d e");
  });

  test("what followed a tombstone still does, and is of its branch", () => {
    const log1 = { a: {}, b: { turn: "t1" }, c: { deletedAt: 1 }, d: { turn: "t2" } };
    const more = log({ ...log1, e: { parent: "b" }, f: { turn: "t3" }, g: { parent: "d" } });
    const inputs = turns({ t1: { input: "a" }, t2: { input: "c" }, t3: { input: "e" } });
    const tree = new Tree(more, inputs, new Map());
    assert.equal(seen(tree), "a b e f", "the edited question, and not what followed the first");
    assert.deepEqual(tree.branches("e"), { options: ["e"], index: 0 });
    const selected = new Map<string, string>();
    select(selected, tree, "c");
    assert.equal(seen(new Tree(more, inputs, selected)), "a b d g");
    const [, , , , ...none] = more;
    const unanswered = [...more.slice(0, 3), ...none.slice(0, 2)];
    assert.equal(seen(new Tree(unanswered, inputs, selected)), "a b e f", "nothing followed it");
  });

  test("an answer again is a sibling: the newest is seen, or what is selected", () => {
    const again = [...CHAT, ...log({ f: { turn: "t3" }, g: {} })];
    const inputs = new Map([...INPUTS, ...turns({ t3: { input: "d" } })]);
    const selected = new Map<string, string>();
    const tree = new Tree(again, inputs, selected);
    assert.equal(seen(tree), "a b c d f g");
    assert.deepEqual(tree.branches("e"), { options: ["t2", "t3"], index: 1 });
    assert.deepEqual(tree.branches("t2"), tree.branches("f"), "a turn or a message of it");
    select(selected, tree, "e");
    const other = new Tree(again, inputs, selected);
    assert.equal(seen(other), "a b c d e", "what followed the other is not seen");
    assert.deepEqual(other.branches("t2").index, 0);
    assert.equal(other.head, "e", "what is sent now has to say what it follows");
    assert.equal(
      seen(new Tree([...again, ...log({ h: { parent: "e" } })], inputs, selected)),
      "a b c d e h",
    );
  });

  test("a wish for another answer hides nothing, and nothing follows it", () => {
    const wish = { name: AGAIN, parent: "a" };
    const wished = log({ a: {}, b: {}, c: { turn: "t1" }, d: wish, e: { turn: "t2" } });
    const inputs = turns({ t1: { input: "a" }, t2: { input: "a" } });
    const selected = new Map<string, string>();
    const tree = new Tree(wished, inputs, selected);
    assert.equal(seen(tree), "a b d e");
    select(selected, tree, "c");
    const older = new Tree(wished, inputs, selected);
    assert.equal(seen(older), "a b c d");
    assert.equal(older.head, "c", "what is sent now follows the answer that is seen");
    const next = new Tree([...wished.slice(0, 4), ...log({ f: {} })], inputs, new Map());
    assert.equal(next.before("f"), "c", "and by itself what came before the wish");
  });

  test("an edited message is a sibling, of the first message too", () => {
    const edited = [...CHAT, ...log({ f: { parent: "c" }, g: { turn: "t3" } })];
    const inputs = new Map([...INPUTS, ...turns({ t3: { input: "f" } })]);
    const selected = new Map<string, string>();
    const tree = new Tree(edited, inputs, selected);
    assert.equal(seen(tree), "a b c f g");
    assert.equal(tree.before("d"), "c", "what the parent of another version is");
    select(selected, tree, "d");
    assert.equal(seen(new Tree(edited, inputs, selected)), "a b c d e");
    const first = [...edited, ...log({ h: { headers: { [EDITS]: "a" } }, i: { turn: "t4" } })];
    const all = new Map([...inputs, ...turns({ t4: { input: "h" } })]);
    const root = new Tree(first, all, selected);
    assert.equal(seen(root), "h i");
    assert.deepEqual(root.branches("a"), { options: ["a", "h"], index: 1 });
    assert.equal(root.before("a"), undefined);
    select(selected, root, "a");
    assert.equal(seen(new Tree(first, all, selected)), "a b c d e", "and what was selected in it");
  });

  test("nobody makes another version of what somebody else said", () => {
    const bob = { client: "bob" };
    const forged = [
      ...log({ a: {}, b: { turn: "t1" }, c: { parent: "b" } }),
      ...log({ d: { ...bob, headers: { [EDITS]: "a" } } }),
      ...log({ e: { ...bob, headers: { [EDITS]: "c" }, parent: "b" } }),
      ...log({ f: { ...bob, headers: { [EDITS]: "t1" } } }),
      ...log({ g: { ...bob, parent: "b" }, h: {} }),
    ];
    const tree = new Tree(forged, INPUTS, new Map());
    assert.deepEqual(tree.branches("a"), { options: ["a"], index: 0 });
    assert.deepEqual(tree.branches("c"), { options: ["c"], index: 0 });
    assert.equal(seen(tree), "a b c d g h", "beside it, and of bob's own the newest");
    assert.equal(tree.head, undefined);
    // Of what is not held nobody knows whose it is.
    const part = log({ x: { parent: "w" }, y: { ...bob, headers: { [EDITS]: "w" } } });
    assert.equal(seen(new Tree(part, new Map(), new Map())), "x y");
  });

  test("two at once: nobody's message is another's branch", () => {
    const both = log({ a: {}, b: { turn: "t1" }, c: {}, d: { turn: "t1" } });
    const tree = new Tree(both, turns({ t1: { input: "a" } }), new Map());
    assert.equal(seen(tree), "a b c d");
    // The first answer said something after the second question.
    assert.equal(tree.head, undefined, "what is sent makes no branch of the second question");
    const next = [...both, ...log({ e: { turn: "t2" }, f: { turn: "t1" }, g: {} })];
    const inputs = turns({ t1: { input: "a" }, t2: { input: "c" } });
    assert.equal(seen(new Tree(next, inputs, new Map())), "a b c d e f g");
  });

  test("what is not held is taken as seen; a selection that is gone is none", () => {
    const part = log({ c: { turn: "t1" }, d: { parent: "x" }, e: { turn: "t2" } });
    assert.equal(seen(new Tree(part, INPUTS, new Map())), "c d e");
    assert.equal(seen(new Tree(part, new Map(), new Map())), "c d e");
    const gone = new Map([["message ", "zz"]]);
    assert.equal(seen(new Tree(CHAT, INPUTS, gone)), "a b c d e");
    assert.deepEqual(new Tree(CHAT, INPUTS, gone).branches("nothing"), { options: [], index: -1 });
  });
});
