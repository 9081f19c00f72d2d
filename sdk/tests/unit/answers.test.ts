// The answers of a log that grows: the same as of a log that is looked at whole, at the cost of
// what changed.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../tests/support/random.ts";
import { Answers } from "../../src/answer/answers.ts";
import { ANSWER, CALL, type Message, MORE, NOTES, type Turn } from "../../src/protocol/index.ts";

function serial(place: number): string {
  return `abcd${place.toString(16).padStart(8, "0")}`;
}

function message(place: number, fields: Partial<Message>): Message {
  const at = serial(place);
  const times = { createdAt: 1, updatedAt: 1 };
  const who = { client: "ann", role: "user", name: "message", data: "x" } as const;
  return { serial: at, version: at, id: `m${place}`, ...who, ...times, ...fields };
}

const turn = (id: string, input?: string): Turn => ({
  ...{ id, status: "active", attempt: 1, createdAt: 0 },
  ...(input !== undefined && { input }),
});

/** Everything that was decided, of all messages and turns. */
function decided(answers: Answers, messages: readonly Message[]): unknown {
  const facts = messages.map((it) => [
    answers.of(it),
    answers.isOfPage(it),
    answers.call(it)?.id,
    answers.call(it)?.input,
    answers.headers(it),
  ]);
  return { facts, turns: [...answers.ofTurn].sort(), said: [...answers.messages].sort() };
}

describe("the answers of a log", () => {
  test("by chance: it always is what is decided of the whole log", (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let run = 0; run < 150; run += 1) chance(random);
  });

  test("a text that grows, and a message at the end, look at nothing else", () => {
    let looks = 0;
    const watched = (made: Message) =>
      new Proxy(made, {
        get: (target, name) => {
          looks += 1;
          return Reflect.get(target, name);
        },
      });
    const turns = Array.from({ length: 500 }, (_, n) => turn(`t${n}`, serial(4 * n)));
    let messages = Array.from({ length: 2000 }, (_, n) => {
      const role = n % 4 ? ({ role: "assistant", turn: `t${n >> 2}` } as const) : {};
      return watched(message(n, role));
    });
    const session = {};
    Answers.following(session, { messages, turns });
    for (let n = 0; n < 5; n += 1) {
      looks = 0;
      const last = messages.at(-1) as Message;
      const grown = watched({ ...message(1999, last), data: "x".repeat(n), version: serial(n) });
      messages = [...messages.slice(0, -1), grown];
      Answers.following(session, { messages, turns });
      assert.ok(looks < 100, `${looks} looks`);
      assert.equal(Answers.of({ messages, turns }).messages.get("t499")?.at(-1), grown);
    }
    looks = 0;
    messages = [...messages, watched(message(3000, {}))];
    Answers.following(session, { messages, turns });
    assert.ok(looks < 50, `${looks} looks`);
  });
});

/** Changes of a log by chance, each followed and looked at whole. */
function chance(random: Random): void {
  const session = {};
  let messages: Message[] = [];
  let turns: Turn[] = [];
  const calls = ["c1", "c2"];
  const any = () => (messages.length > 0 ? random.pick(messages).serial : serial(0));
  const anyTurn = () => (turns.length > 0 ? random.pick(turns).id : "unknown");
  for (let step = 0; step < 40; step += 1) {
    const place = 10 * (step + 1);
    const what = random.below(12);
    const at = random.below(Math.max(messages.length, 1));
    const held = messages[at];
    const add = (fields: Partial<Message>) => {
      messages = [...messages, message(place, fields)];
    };
    const inTurn = { turn: random.pick([anyTurn(), "unknown"]), client: "bot", role: "assistant" };
    const toolCallId = random.pick(calls);
    if (what < 2) add({ client: random.pick(["ann", "bob"]) });
    else if (what < 4) turns = [...turns, turn(`t${step}`, random.below(2) ? any() : undefined)];
    else if (what < 6) add({ ...inTurn, role: "assistant", data: "", status: "streaming" });
    else if (what === 6) {
      add({ ...inTurn, role: "assistant", name: "tool-input", headers: { toolCallId } });
    } else if (what === 7) {
      const name = random.pick(["tool-output", "tool-approval"]);
      add({ ...inTurn, role: "tool", name, headers: { toolCallId } });
    } else if (what === 8) {
      const of = random.pick([{ [CALL]: any() }, { toolCallId }, {}]);
      const more = random.below(2) ? { [MORE]: "true" } : {};
      const answer = random.below(3) ? { [ANSWER]: anyTurn() } : {};
      const headers: Record<string, string> = { ...of, ...answer, ...more };
      add({ name: "tool-output", client: random.pick(["ann", "bob"]), headers });
    } else if (what === 9 && held) {
      add({ client: "bot", name: NOTES, data: { long: "x" }, headers: { of: held.id ?? "" } });
    } else if (what === 10 && held) {
      const changed = { ...held, version: serial(place), data: `${held.data}y` };
      const isGone = random.below(6) === 0;
      const next = isGone ? { ...changed, deletedAt: 1 } : changed;
      messages = messages.map((it, index) => (index === at ? next : it));
    } else if (what === 11) {
      if (random.below(3) === 0) messages = messages.slice(1);
      turns = turns.map((it) => (random.below(3) ? it : { ...it, status: "complete" }));
    }
    if (random.below(4) === 0) continue;
    const followed = Answers.following(session, { messages, turns });
    const whole = Answers.of({ messages: [...messages], turns });
    assert.deepEqual(decided(followed, messages), decided(whole, messages), `step ${step}`);
  }
}
