// The conversation and the scripted agents, without a browser: what is said, how it is cut, and how
// it is put together.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { marked, type Token, type Tokens } from "marked";
import type { ShownMessage, Turn } from "sessile";
import { isSentence, numberOf, pieces } from "../../pages/agent/pieces.ts";
import { type Scene, sceneOf } from "../../pages/agent/scenes.ts";
import { obeyed, story } from "../../pages/agent/texts.ts";
import { destinationIn, findsOf, KINDS, summary, tripIn, tripOf } from "../../pages/agent/trip.ts";
import { settled } from "../../pages/look/growing.ts";
import { type Entry, entriesOf } from "../../pages/thread/entries.ts";
import { fieldsOf, labelOf, valuesOf } from "../../pages/thread/fields.ts";

const TEXTS = ["turn-1", "turn-2", "again-3"].map((turn) => story("How does it work? 🤔", turn));

describe("what the agents say", () => {
  test("pieces add up to the text from any offset on, and split no character", () => {
    for (const text of TEXTS) {
      assert.equal(pieces(text).join(""), text);
      let at = 0;
      for (const piece of pieces(text)) {
        assert.ok(piece.isWellFormed(), `a half character in ${JSON.stringify(piece)}`);
        assert.equal(pieces(text, at).join(""), text.slice(at));
        at += piece.length;
      }
      assert.deepEqual(pieces(text, text.length), [""], "a whole text still has an end");
    }
  });

  test("a text is the same each time for its turn, and another for another turn", () => {
    assert.equal(story("Why?", "turn-1"), story("Why?", "turn-1"));
    assert.equal(new Set(TEXTS).size, TEXTS.length);
    for (const text of TEXTS) {
      const kinds = marked.lexer(text).map(({ type }) => type);
      for (const kind of ["table", "code", "list"]) assert.ok(kinds.includes(kind), kind);
      for (const part of ["🇮🇸", "👩‍👩‍👧‍👦", "नमस्ते"]) assert.ok(text.includes(part), part);
    }
    assert.ok(story("x".repeat(1000), "turn-1").includes(`“${"x".repeat(80)}…”`));
  });

  test("it stops at the end of a sentence", () => {
    for (const text of ["It is. ", "Is it?", "“It is.” ", "It is. 🌱", "It is… 🇮🇸\n\n"]) {
      assert.ok(isSentence(text), text);
    }
    for (const text of ["", "It ", "It is", "3.5 is", "🌱"]) assert.ok(!isSentence(text), text);
    assert.match(obeyed("shorter, please"), /In short/);
    assert.match(obeyed("in French"), /“in French”/);
  });

  test("words choose the scene", () => {
    const scenes: [string, Scene][] = [
      ["Plan a trip to Lisbon", "plan"],
      ["Plan a trip for us", "plan"],
      ["I want to travel to Rome", "plan"],
      ["book it", "book"],
      ["Refund the order 4711", "refund"],
      ["Ask me something", "ask"],
      ["please fail", "fail"],
      ["be brief", "short"],
      ["Tell me a long story", "story"],
      ["", "story"],
    ];
    for (const [text, scene] of scenes) assert.equal(sceneOf(text), scene, text);
    assert.equal(destinationIn("Plan a trip to São Paulo, please"), "São Paulo");
    assert.equal(destinationIn("Plan a trip for us"), "Lisbon");
  });

  test("a trip has what was found, and is found again in the conversation", () => {
    const trip = tripOf("Oslo", KINDS);
    assert.deepEqual(trip, tripOf("Oslo", KINDS));
    assert.equal(tripOf("Oslo", ["flights"]).hotel, "none");
    assert.match(summary(trip, ["flights"]), /Hotels \| \*was stopped\*/);
    for (const kind of KINDS) assert.equal(findsOf(kind, "Oslo").length, 4);
    const said = (headers?: Record<string, string>) => ({ headers }) as unknown as ShownMessage;
    const messages = [said(), said({ trip: JSON.stringify(trip) }), said({ trip: "{}" })];
    assert.deepEqual(tripIn(messages), trip);
    assert.equal(tripIn([said({ trip: "{" })]), undefined);
    assert.equal(tripIn([said({ trip: "null" })]), undefined);
    for (const text of ["a", "b", "🌱"]) assert.ok(numberOf(text, 3) < 3);
  });
});

/** The words of Markdown, without its signs. */
function wordsOf(tokens: readonly Token[]): string {
  return tokens
    .map((token): string => {
      if (token.type === "table") {
        const cells = [token.header, ...token.rows].flat() as Tokens.TableCell[];
        return cells.map((cell) => wordsOf(cell.tokens)).join("");
      }
      if (token.type === "list") return wordsOf(token.items);
      if ("tokens" in token && token.tokens) return wordsOf(token.tokens);
      return token.type === "space" ? "" : ((token as Tokens.Text).text ?? token.raw);
    })
    .join("");
}

describe("Markdown that grows", () => {
  /** The blocks as they are drawn. */
  const blocks = (text: string) => marked.lexer(text).filter(({ type }) => type !== "space");
  /** Only what has begun is drawn again. */
  const isSteady = (text: string) => {
    let held: { type: string; raw: string }[] = [];
    for (let at = 1; at <= text.length; at += 1) {
      const now = blocks(settled(text.slice(0, at)));
      const done = held.slice(0, -1).map(({ type, raw }) => [type, raw.trimEnd()]);
      const same = now.slice(0, done.length).map(({ type, raw }) => [type, raw.trimEnd()]);
      assert.deepEqual(same, done, `after ${JSON.stringify(text.slice(at - 20, at))}`);
      const [was, is] = [held.at(-1), now[held.length - 1]];
      if (was && held.length > 0) assert.equal(is?.type, was.type, text.slice(at - 20, at));
      held = now;
    }
    assert.deepEqual(
      held.map(({ type }) => type),
      blocks(text).map(({ type }) => type),
    );
  };

  test("a block never becomes another kind, and none that is over changes", () => {
    for (const text of TEXTS) isSteady(`${text}\n`);
    isSteady(
      "Some words\n\n- one\n- two **strong**\n\n> quoted\n\n# Head\n\n1. first\n2. second\n",
    );
    isSteady("Words\n\n---\n\n```js\nconst a = `b`;\n- no list\n```\n\nend\n");
    isSteady("Words\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\nend\n");
  });

  test("the words that are drawn only grow", () => {
    for (const text of TEXTS) {
      let held = "";
      for (let at = 1; at <= text.length; at += 1) {
        const now = wordsOf(marked.lexer(settled(text.slice(0, at))));
        assert.ok(now.startsWith(held.trimEnd()), `${held.slice(-40)} became ${now.slice(-40)}`);
        held = now;
      }
    }
  });

  test("open signs are closed, and half ones are not shown", () => {
    assert.equal(settled("This is **bo"), "This is **bo**");
    assert.equal(settled("This is **one "), "This is **one**");
    assert.equal(settled("This is *emph"), "This is *emph*");
    assert.equal(settled("Run `npm st"), "Run `npm st`");
    assert.equal(settled("Words *"), "Words ");
    assert.equal(settled("See [the do"), "See ");
    assert.equal(settled("2 * 3 = 6"), "2 * 3 = 6");
    assert.equal(settled("Words\n-"), "Words");
    assert.equal(settled("| not a table |\nwords"), "| not a table |\nwords");
    assert.equal(settled("```\n**as it is"), "```\n**as it is");
  });
});

describe("the entries of a conversation", () => {
  const message = (serial: string, more: Partial<ShownMessage> = {}): ShownMessage => ({
    ...{ serial, version: serial, name: "message", client: "ann", role: "user" },
    ...{ data: serial, createdAt: 0, updatedAt: 0 },
    ...more,
  });
  const turn = (id: string, more: Partial<Turn> = {}): Turn => ({
    ...{ id, status: "complete", attempt: 1, createdAt: 0, endedAt: 1 },
    ...more,
  });
  const open = { status: "active" } as const;
  const running = (id: string, more: Partial<Turn>): Turn => {
    const { endedAt: _, ...rest } = turn(id, { ...open, ...more });
    return rest;
  };
  const keys = (entries: readonly Entry[]) =>
    entries.map((it) => (it.kind === "answer" ? `${it.key}:${it.messages.length}` : it.key));

  test("answers that were given at the same time stand one by one", () => {
    const said = [
      message("1"),
      message("2"),
      message("3", { turn: "a" }),
      message("4", { turn: "b" }),
      message("5", { turn: "a" }),
      message("6", { name: "regenerate" }),
    ];
    const turns = [turn("a", { input: "1" }), turn("b", { input: "2" })];
    assert.deepEqual(keys(entriesOf(said, turns)), ["1", "2", "a:2", "b:1"]);
  });

  test("a turn that has said nothing stands behind what it answers", () => {
    const said = [message("1"), message("2")];
    const turns = [running("a", { input: "1" }), turn("f", { status: "failed", input: "2" })];
    assert.deepEqual(keys(entriesOf(said, turns)), ["1", "a:0", "2", "f:0"]);
    assert.deepEqual(keys(entriesOf(said, [running("a", { input: "9" })])), ["1", "2"]);
    assert.deepEqual(keys(entriesOf(said, [running("a", {})])), ["1", "2", "a:0"]);
  });

  test("another answer takes the place of the one on screen as soon as it has begun", () => {
    const said = [message("1"), message("2", { turn: "a" })];
    const first = turn("a", { input: "1" });
    assert.deepEqual(keys(entriesOf(said, [first, running("b", { input: "1" })])), ["1", "b:0"]);
    const stopped = turn("b", { input: "1", status: "cancelled" });
    assert.deepEqual(keys(entriesOf(said, [first, stopped])), ["1", "a:1"]);
  });

  test("turns within others are shown by those", () => {
    const said = [message("1"), message("2", { turn: "a" }), message("3", { turn: "c" })];
    const turns = [turn("a", { input: "1" }), turn("c", { within: "a" })];
    assert.deepEqual(keys(entriesOf(said, turns)), ["1", "a:1"]);
  });
});

describe("the form of a schema", () => {
  test("it has the fields that it can show, or none", () => {
    const schema = {
      type: "object",
      properties: {
        nights: { type: "integer", minimum: 1, maximum: 14 },
        place: { enum: ["sea", "city"] },
        note: { type: "string" },
        late: { type: "boolean" },
      },
    };
    const fields = fieldsOf(schema);
    assert.deepEqual(fields, [
      { name: "nights", type: "number", min: 1, max: 14, step: 1 },
      { name: "place", type: "text", options: ["sea", "city"] },
      { name: "note", type: "text" },
      { name: "late", type: "checkbox" },
    ]);
    assert.deepEqual(valuesOf(fields, { nights: 3, other: 1 }), { nights: 3 });
    assert.deepEqual(fieldsOf({ type: "object", properties: { list: { type: "array" } } }), []);
    for (const none of [undefined, null, 1, "x", { type: "string" }, true]) {
      assert.deepEqual(fieldsOf(none), []);
    }
    assert.equal(labelOf("maxPrice_total"), "Max price total");
  });
});
