// The view of a log as it grows: the same as of a log that is looked at whole, at the cost of
// what changed.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../tests/support/random.ts";
import { View } from "../../src/client/branches.ts";
import type { ShownMessage } from "../../src/client/sending.ts";
import type { Message, ServerFrame, Turn } from "../../src/index.ts";
import { Log } from "../../src/log/log.ts";
import { Tree } from "../../src/log/tree.ts";
import { AGAIN, EDITS } from "../../src/protocol/index.ts";

const UNSENT: readonly ShownMessage[] = [];
const NONE: ReadonlyMap<string, string> = new Map();

function serial(place: number): string {
  return `abcd${place.toString(16).padStart(8, "0")}`;
}

function create(place: number, fields: Partial<Message> = {}): ServerFrame {
  const at = serial(place);
  const who = { client: "alice", role: "user", name: "message" } as const;
  const times = { createdAt: 1, updatedAt: 1 };
  const message = { serial: at, version: at, ...who, ...times, data: `m${place}`, ...fields };
  return { type: "message.create", message };
}

function append(place: number, version: number, offset: number, data: string): ServerFrame {
  return { type: "message.append", serial: serial(place), version: serial(version), offset, data };
}

function turnFrame(
  type: "turn.start" | "turn.end",
  place: number,
  turn: Partial<Turn>,
): ServerFrame {
  const whole = { id: "t", status: "active", attempt: 1, createdAt: 1, ...turn } as const;
  return { type, serial: serial(place), turn: whole };
}

/** Messages that count how often somebody looks at them. */
class Watched {
  looks = 0;

  message(place: number, fields: Partial<Message>): Message {
    const whole = { ...(create(place, fields) as { message: Message }).message };
    return new Proxy(whole, {
      get: (target, name) => {
        this.looks += 1;
        return Reflect.get(target, name);
      },
    });
  }
}

/** A log of so many messages, a turn of two after each third, that somebody looks at. */
function watched(count: number) {
  const watch = new Watched();
  const log = new Log();
  const view = new View();
  for (let place = 1; place <= count; place += 1) {
    const at = place % 4;
    const turn = at === 0 || at === 3 ? { turn: `t${place >> 2}` } : {};
    const isLast = place === count;
    const message = watch.message(place, {
      ...turn,
      ...(isLast && { data: "", status: "streaming" }),
    });
    log.take({ type: "message.create", message });
  }
  view.see(log, UNSENT, NONE);
  const look = () => {
    watch.looks = 0;
    const tree = view.see(log, UNSENT, NONE);
    return { tree, looks: watch.looks };
  };
  return { log, look, watch };
}

describe("the view of a log", () => {
  test("an append, and a message at the end, cost the same however long the log is", () => {
    const costs = [200, 20_000].map((count) => {
      const { log, look, watch } = watched(count);
      const sums = [0, 0, 0];
      for (let n = 0; n < 50; n += 1) {
        watch.looks = 0;
        log.take(append(count, count + 1 + n, n, "x"));
        const taken = watch.looks;
        sums[0] = Math.max(sums[0] ?? 0, taken + look().looks);
      }
      for (let n = 0; n < 50; n += 1) {
        const turn = n % 2 ? { turn: `u${n >> 2}` } : {};
        watch.looks = 0;
        log.take(create(count + 100 + n, turn));
        const taken = watch.looks;
        sums[1] = Math.max(sums[1] ?? 0, taken + look().looks);
      }
      log.take(turnFrame("turn.start", count + 200, { id: "next", input: serial(count) }));
      sums[2] = look().looks;
      return sums;
    });
    const [short, long] = costs as [number[], number[]];
    // Each of four searches takes a step more for each doubling.
    for (const [index, cost] of long.entries()) {
      const most = 4 * 7 + (short[index] ?? 0);
      assert.ok(cost <= most, `${cost} looks of ${most}, ${short[index]} in a short one`);
    }
  });

  test("a batch of frames copies the list once, and only if somebody has it", (t) => {
    const { log, look } = watched(1000);
    const lists = [look().tree.messages];
    const large: string[] = [];
    const methods = Array.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
    for (const name of ["slice", "toSpliced", "concat", "filter"]) {
      const original = methods[name] as (...given: unknown[]) => unknown;
      t.after(() => {
        methods[name] = original;
      });
      methods[name] = function (this: unknown[], ...given) {
        const made = original.apply(this, given);
        if ((made as unknown[]).length >= 1000) large.push(name);
        return made;
      };
    }
    for (let batch = 0; batch < 3; batch += 1) {
      large.length = 0;
      for (let n = 0; n < 20; n += 1) {
        log.take(append(1000, 1001 + batch * 20 + n, batch * 20 + n, "x"));
      }
      lists.push(look().tree.messages);
      assert.deepEqual(large, ["slice"]);
    }
    assert.equal(new Set(lists).size, 4, "a new list each time");
    assert.deepEqual(
      lists.map((list) => list.at(-1)?.data),
      ["", "x".repeat(20), "x".repeat(40), "x".repeat(60)],
    );
    assert.ok(lists.every((list) => list[7] === lists[0]?.[7]));
  });

  test("an append to one of thousands of answers to one question looks at that one", () => {
    const [log, view, watch] = [new Log(), new View(), new Watched()];
    const count = 8000;
    for (let n = 1; n <= count; n += 1) {
      log.take(turnFrame("turn.start", 3 * n, { id: `t${n}`, input: serial(1) }));
      const fields = { turn: `t${n}`, data: "", status: "streaming" } as const;
      log.take({ type: "message.create", message: watch.message(3 * n + 1, fields) });
    }
    view.see(log, UNSENT, NONE);
    watch.looks = 0;
    log.take(append(3 * count + 1, 3 * count + 2, 0, "x"));
    const tree = view.see(log, UNSENT, NONE);
    assert.ok(watch.looks < 100, `${watch.looks} looks`);
    assert.deepEqual(
      tree.messages.map(({ data }) => data),
      ["x"],
    );
    assert.equal(tree.branches(`t${count}`).index, count - 1);
  });

  test("by chance: it always is what a tree of the whole log is", (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let run = 0; run < 60; run += 1) chance(random);
  });
});

/** Frames by chance, what is to be sent and selected among them, and a look after some. */
function chance(random: Random): void {
  const log = new Log();
  const view = new View();
  let pending: readonly ShownMessage[] = [];
  let selected: ReadonlyMap<string, string> = new Map();
  const places: number[] = [];
  const turns: string[] = [];
  const lists: [readonly ShownMessage[], string][] = [];
  const any = () => serial(random.pick(places));
  for (let step = 0, place = 1000; step < 60; step += 1, place += 1) {
    const what = random.below(14);
    const isLate = random.below(12) === 0;
    const at = isLate ? random.between(1, 999) : place;
    if (places.length === 0 || what < 4) {
      const isEdit = places.length > 0 && random.below(4) === 0;
      const follows = places.length > 0 && random.below(4) === 0 && { parent: any() };
      const name = random.below(8) === 0 ? { name: AGAIN } : {};
      const client = random.pick(["alice", "alice", "bob"]);
      const headers = isEdit ? { headers: { [EDITS]: any() } } : {};
      log.take(create(at, { id: `m${at}`, client, ...follows, ...name, ...headers }));
      places.push(at);
    } else if (what < 6 && turns.length > 0) {
      log.take(create(at, { turn: random.pick(turns), client: "agent", data: "" }));
      places.push(at);
    } else if (what < 8) {
      const isNew = turns.length === 0 || random.below(3) > 0;
      const id = isNew ? `t${step}` : random.pick(turns);
      const of = random.pick([{ input: any() }, { parent: any() }, {}]);
      log.take(turnFrame(isNew ? "turn.start" : "turn.end", place, { id, ...of }));
      turns.push(id);
    } else if (what < 10) {
      const text = log.get(any())?.data;
      const length = typeof text === "string" ? text.length : 0;
      log.take(append(random.pick(places), place, length, "x"));
    } else if (what === 10) {
      log.take({ type: "message.delete", serial: any(), version: serial(place) });
    } else if (what === 11) {
      const first = (create(place) as { message: ShownMessage }).message;
      const id = random.pick([`m${place + 1}`, "never"]);
      const unsent: ShownMessage = { ...first, id, serial: `~${place}`, delivery: "pending" };
      pending = random.below(3) ? [] : [unsent];
    } else if (what === 12) {
      const choice = view.see(log, pending, selected).choice(any());
      if (choice) selected = new Map(selected).set(...choice);
    } else if (random.below(4) === 0) {
      log.take({ type: "log.trim", before: any() });
    }
    // A message that came into the log is to be sent no longer.
    if (pending.some(({ id }) => log.messages.some((it) => it.id === id))) pending = [];
    if (random.below(3) === 0) continue;
    const tree = view.see(log, pending, selected);
    const all: ShownMessage[] = [...log.messages, ...pending];
    const whole = new Tree<ShownMessage>(all, log.turns, selected);
    assert.deepEqual(tree.messages, whole.messages, `step ${step}`);
    assert.ok(tree.messages.every((it, index) => it === whole.messages[index]));
    assert.equal(tree.head, whole.head);
    for (const it of all) {
      assert.deepEqual(tree.branches(it.serial), whole.branches(it.serial));
      assert.equal(tree.before(it.serial), whole.before(it.serial));
    }
    lists.push([tree.messages, JSON.stringify(tree.messages)]);
  }
  for (const [list, text] of lists) assert.equal(JSON.stringify(list), text, "never in place");
}
