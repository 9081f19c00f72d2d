// The inspector, without a browser: what it reads, and what it makes of that.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { inspectorOf, sessionIn } from "../../pages/inspect/address.ts";
import { curl, quoted } from "../../pages/inspect/curl.ts";
import { delays } from "../../pages/inspect/delay.ts";
import { drawnOf, lanesOf, marksOf } from "../../pages/inspect/lanes.ts";
import { bytesOf, framesIn } from "../../pages/inspect/raw.ts";
import {
  indexAt,
  NOTHING,
  type Record,
  withMessage,
  withPage,
} from "../../pages/inspect/record.ts";
import { returnsOf } from "../../pages/inspect/returns.ts";
import { seenBy } from "../../pages/inspect/seen.ts";
import type { Connected, Entry, Gone, Turn } from "../../pages/inspect/shapes.ts";
import { kept, panned, ticks, type View, zoomed } from "../../pages/inspect/view.ts";
import { shown, span } from "../../pages/inspect/words.ts";
import { Random } from "../support/random.ts";

const START = Date.UTC(2026, 10, 29, 12);

function serial(place: number): string {
  return `abcd${place.toString(16).padStart(8, "0")}`;
}

function entry(place: number, more: Partial<Entry> = {}): Entry {
  const it = { serial: serial(place), type: "message.create", at: START + place * 1000 };
  return { client: "ann", ...it, ...more };
}

/** A log as the session gives it, page by page. */
function page(places: number, after: number, limit: number) {
  const last = Math.min(after + limit, places);
  const entries = Array.from({ length: last - after }, (_, at) => entry(after + at + 1));
  return { entries, hasMore: last < places };
}

describe("the record", () => {
  const places = ({ entries }: Record) => entries.map(({ serial: it }) => it);

  test("has each entry once and in order, however its pages come", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = new Random(seed);
      let record = NOTHING;
      const read = new Set<number>();
      for (let step = 0; step < 12; step += 1) {
        const after = random.below(200);
        const limit = 1 + random.below(40);
        record = withPage(record, after === 0 ? "" : serial(after), page(200, after, limit));
        for (let place = after + 1; place <= Math.min(after + limit, 200); place += 1) {
          read.add(place);
        }
      }
      const wanted = [...read].sort((one, other) => one - other).map(serial);
      assert.deepEqual(places(record), wanted, `seed ${seed}`);
      for (const { after, through } of record.gaps) {
        const inside = wanted.filter((it) => after < it && it <= through);
        assert.deepEqual(inside, [], `seed ${seed}: nothing in a gap was read`);
      }
      const holes = wanted.filter((it, at) => at > 0 && !follows(wanted[at - 1] ?? "", it));
      assert.ok(record.gaps.length >= holes.length, `seed ${seed}: each hole is a gap`);
    }
  });

  test("has no gap once the pages meet", () => {
    let record = withPage(NOTHING, "", page(30, 0, 10));
    record = withPage(record, serial(20), page(30, 20, 10));
    const [gap] = record.gaps;
    assert.deepEqual([gap?.after, gap?.through], [serial(10), serial(20)]);
    assert.deepEqual([gap?.from, gap?.to], [START + 10_000, START + 21_000]);
    record = withPage(record, serial(10), page(30, 10, 10));
    assert.deepEqual(record.gaps, []);
    assert.equal(record.end, serial(30));
  });

  test("takes the newer reading of an entry, and changes of a message", () => {
    let record = withPage(NOTHING, "", page(3, 0, 3));
    const again = { entries: [entry(2, { bytes: 7 })], hasMore: true };
    record = withPage(record, serial(1), again);
    assert.equal(record.entries[1]?.bytes, 7);
    record = withMessage(record, serial(2), (it) => ({ ...it, bytes: (it.bytes ?? 0) + 3 }));
    assert.equal(record.entries[1]?.bytes, 10);
    assert.equal(
      withMessage(record, serial(9), (it) => it),
      record,
    );
    assert.equal(record.entries.length, 3);
  });
});

function follows(one: string, other: string): boolean {
  return Number.parseInt(other.slice(4), 16) === Number.parseInt(one.slice(4), 16) + 1;
}

describe("the timeline", () => {
  const whole: View = { from: 0, to: 1000 };

  test("draws the entries in view once, those that are near as one", () => {
    const entries = Array.from({ length: 1000 }, (_, at) => entry(at, { at }));
    const view = { from: 100, to: 299 };
    const marks = marksOf(entries, view, 20);
    assert.ok(marks.length <= 20);
    assert.deepEqual(
      marks.flatMap((mark) => mark.entries),
      entries.slice(100, 300),
    );
    assert.ok(marks.every(({ x }, at) => x > (marks[at - 1]?.x ?? 0) && x < 1));
    assert.equal(indexAt(entries, 500), 500);
  });

  test("stays within the whole, wherever it is moved and however it is zoomed", () => {
    const near = zoomed(whole, 4, 0.5, whole);
    assert.deepEqual(near, { from: 375, to: 625 });
    assert.deepEqual(panned(near, 99, whole), { from: 750, to: 1000 });
    assert.deepEqual(panned(near, -99, whole), { from: 0, to: 250 });
    assert.deepEqual(zoomed(near, 0.001, 0.2, whole), whole);
    assert.ok(zoomed(near, 1e9, 0.5, whole).to > zoomed(near, 1e9, 0.5, whole).from);
    assert.deepEqual(kept({ from: -50, to: 50 }, whole), { from: 0, to: 100 });
  });

  test("gives turns at one time rows of their own, and bounds the lanes", () => {
    const turn = (id: string, from: number, to?: number): Turn => {
      const end = to === undefined ? {} : { endedAt: to };
      return { id, status: "active", agent: "bot", attempt: 1, createdAt: from, ...end };
    };
    const turns = [turn("a", 0, 10), turn("b", 5, 20), turn("c", 12, 15), turn("d", 30)];
    const known = new Map(turns.map((it) => [it.id, it]));
    const [lane] = lanesOf([], known, undefined, undefined);
    const rows = lane?.turns.map(({ id, row }) => [id, row]);
    assert.deepEqual(rows, [
      ["a", 0],
      ["b", 1],
      ["c", 0],
      ["d", 0],
    ]);
    const many = Array.from({ length: 500 }, (_, at) => entry(at, { client: `c${at}` }));
    const lanes = lanesOf(many, new Map(), undefined, undefined);
    assert.equal(lanes.length, 40);
    assert.equal(lanes.flatMap(({ marks }) => marks.flat()).length, 500);
  });

  test("draws turns that would cover nothing new as one, but each that failed", () => {
    const view = { from: 0, to: 100_000 };
    const x = (at: number) => at / 1000;
    const turns = Array.from({ length: 10_000 }, (_, at) => ({
      id: `t${at}`,
      status: at === 5001 ? "failed" : "complete",
      from: at * 10,
      to: at * 10 + 5,
      row: 0,
    }));
    const drawn = drawnOf(turns, view, x);
    assert.ok(drawn.length > 20 && drawn.length < 120, `${drawn.length} are drawn`);
    assert.equal(drawn.at(-1)?.id, "t5001", "above the others");
    const near = drawnOf(turns, { from: 0, to: 99 }, (at) => at * 10);
    assert.equal(near.length, 10);
  });

  test("tells of turns that the reads of turns do not reach, by their entries", () => {
    const entries = [
      entry(1, { type: "turn.start", client: "bot", turn: "old" }),
      entry(5, { type: "turn.end", client: "bot", turn: "old" }),
    ];
    const [lane] = lanesOf(entries, new Map(), undefined, undefined);
    const [bar] = lane?.turns ?? [];
    assert.deepEqual([bar?.id, bar?.from, bar?.to], ["old", START + 1000, START + 5000]);
  });

  test("has round times on its axis", () => {
    const times = ticks({ from: START, to: START + 60_000 }, 8);
    assert.ok(times.length >= 3 && times.length <= 9);
    assert.ok(times.every((at) => at % 10_000 === 0));
  });
});

test("a delay counts from what an entry answers, else from the entry before it", () => {
  const entries = [
    entry(1),
    entry(2, { type: "turn.start", client: "bot", turn: "t" }),
    entry(3, { client: "bot", turn: "t" }),
    entry(4, { type: "approval.request", approval: "a", turn: "t" }),
    entry(5),
    entry(9, { type: "approval.decide", approval: "a" }),
    entry(10, { type: "message.close", message: serial(3) }),
    entry(12, { type: "turn.end", turn: "t" }),
  ];
  const found = delays(entries);
  const told = entries.map(({ serial: it }) => {
    const delay = found.get(it);
    return delay && [delay.ms, delay.since];
  });
  assert.deepEqual(told, [
    undefined,
    [1000, "the entry before"],
    [1000, "the start of its turn"],
    [1000, "the entry before"],
    [1000, "the entry before"],
    [5000, "the request"],
    [7000, "the message"],
    [10_000, "the start of its turn"],
  ]);
});

describe("what a connection had seen", () => {
  const entries = [1, 2, 3, 4, 5].map((place) => entry(place));
  const trace = { attachedAt: START + 1500, frames: 2, bytes: 300, resumed: true, refused: {} };
  const open: Connected = {
    connection: "c1",
    client: "ann",
    kind: "socket",
    window: 40,
    unsent: 0,
    trace,
  };

  test("is everything up to the last entry before the moment", () => {
    const { last, known, unknown } = seenBy(open, START + 3500, entries);
    assert.equal(last?.serial, serial(3));
    assert.match(known.join(" "), /resumed where it was, and was replayed 2 frames, 300 B/);
    assert.match(known.join(" "), /window of 40 ms/);
    assert.match(unknown.join(" "), /position that it resumed from is not recorded/);
    assert.match(unknown.join(" "), /answered no probe/);
  });

  test("is nothing before it attached, and ends when it is gone", () => {
    assert.equal(seenBy(open, START + 1000, entries).last, undefined);
    const gone: Gone = { ...open, goneAt: START + 3500, serial: serial(3), code: 4429, trace };
    const { last, known } = seenBy(gone, START + 99_000, entries);
    assert.equal(last?.serial, serial(3));
    assert.match(known.join(" "), /the session closed it with 4429/);
  });

  test("says which text was still growing then, and when it last confirmed", () => {
    const growing = [...entries, entry(6, { seq: 9, updatedAt: START + 20_000 })];
    const probed = { ...open, trace: { ...trace, seenAt: START + 9000 } };
    const { known, unknown } = seenBy(probed, START + 8000, growing);
    assert.match(known.join(" "), /processed everything at .*at the latest then/);
    assert.match(unknown.join(" "), new RegExp(`Message ${serial(6)} still grew`));
  });
});

test("a connection follows the last one of its client that had ended, once", () => {
  const trace = (attachedAt: number) => ({ attachedAt, frames: 1, bytes: 9, refused: {} });
  const gone = (connection: string, client: string, from: number, to: number): Gone => {
    // The entry of the millisecond in which it ended came behind it.
    const place = (to - START) / 1000 - 1;
    const it = { connection, client, kind: "socket", serial: serial(place), trace: trace(from) };
    return { ...it, goneAt: to };
  };
  const open = (connection: string, client: string, from: number): Connected => {
    return { connection, client, kind: "socket", window: 0, unsent: 0, trace: trace(from) };
  };
  const at = (place: number) => START + place * 1000;
  const it = returnsOf(
    {
      session: "s",
      serial: serial(9),
      rowsWritten: 0,
      rowsRead: 0,
      databaseBytes: 0,
      memoryBytes: 0,
      connections: [
        open("a3", "ann", at(8)),
        open("b1", "bea", at(5)),
        open("own", "ann", at(9)),
        open("a4", "ann", at(9)),
      ],
      traces: {
        attached: 0,
        resumed: 0,
        frames: 0,
        bytes: 0,
        refused: {},
        closed: {},
        gone: [gone("a1", "ann", at(0), at(2)), gone("a2", "ann", at(3), at(4))],
      },
      presence: [],
    },
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((place) => entry(place)),
    "own",
  );
  const told = it.map((one) => [one.before.connection, one.connection, one.awayMs, one.missed]);
  assert.deepEqual(told, [
    ["a2", "a3", 4000, 5],
    ["a1", "a2", 1000, 2],
  ]);
});

describe("a line for a shell", () => {
  const HOSTILE = [
    "a'b",
    "$(touch /tmp/owned)",
    "`id`",
    '"; exit 1; "',
    "a\\'b",
    "'; rm -rf x; '",
    "line\nbreak",
    "é ❤ \u202e",
  ];

  test("hands every text over as it is", () => {
    for (const text of HOSTILE) {
      const out = execFileSync("sh", ["-c", `printf %s ${quoted(text)}`]).toString("utf8");
      assert.equal(out, text);
    }
  });

  test("has the address, and the token as a variable alone", () => {
    const line = curl("http://h/v1/sessions/a'b/log");
    const program = `curl() { for it; do printf '%s\\n' "$it"; done; }; TOKEN=secret; ${line}`;
    const words = execFileSync("sh", ["-c", program]).toString("utf8").trim().split("\n");
    assert.equal(words.at(-1), "http://h/v1/sessions/a'b/log");
    assert.ok(words.includes("Authorization: Bearer secret"));
  });

  test("begins with an address that names any session", () => {
    for (const text of HOSTILE) assert.equal(sessionIn(inspectorOf(text)), text);
    assert.equal(sessionIn("/inspect"), "");
    assert.equal(sessionIn("/inspect/"), "");
    assert.equal(sessionIn("/inspect/%zz"), "%zz");
    assert.equal(sessionIn("/inspect/a%2Fb"), "a/b");
  });
});

describe("raw frames", () => {
  test("are the items of an array, to the byte", () => {
    const frames = ['{"type":"a","n":1.0}', '{"x":"],[\\"{","y":[1,{"z":[]}]}', '{"t":"é"}'];
    assert.deepEqual(framesIn(`[${frames.join(",")}]`), frames);
    assert.deepEqual(framesIn(` [ ${frames.join(" , ")} ] `), frames);
    assert.deepEqual(framesIn(frames[1] ?? ""), [frames[1]]);
    assert.deepEqual(framesIn("[]"), []);
    assert.equal(bytesOf('{"t":"é"}'), 10);
  });

  test("of any text end", () => {
    for (const text of ["[", '["', '["\\', "[[[", "]]", '[{"a":"'] as const) framesIn(text);
  });
});

test("what cannot be seen in a name is shown, and long ones are cut", () => {
  assert.equal(shown("a\u202eb"), "a\\u{202e}b");
  assert.equal(shown("a\nb"), "a\\u{a}b");
  assert.equal(shown("x".repeat(100), 10), `${"x".repeat(9)}…`);
  assert.equal(span(1234), "1.2 s");
  assert.equal(span(185_000), "3 min");
});
