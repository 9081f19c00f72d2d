// The fold (P3.5–P3.10, P4.4): one frame at a time, without a network.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../tests/support/random.ts";
import { loadOlder } from "../../src/client/history.ts";
import {
  DEFAULT_LIMITS,
  type Message,
  type Page,
  type ServerFrame,
  type Turn,
} from "../../src/index.ts";
import { Log } from "../../src/log/log.ts";

function serial(place: number): string {
  return `abcd${place.toString(16).padStart(8, "0")}`;
}

function message(place: number, fields: Partial<Message> = {}): Message {
  const at = serial(place);
  const times = { createdAt: 1, updatedAt: 1 };
  const who = { client: "alice", role: "user", name: "message" } as const;
  return { serial: at, version: at, ...who, data: `message ${place}`, ...times, ...fields };
}

function create(place: number, fields?: Partial<Message>): ServerFrame {
  return { type: "message.create", message: message(place, fields) };
}

function append(place: number, version: number, offset: number, data: string): ServerFrame {
  return { type: "message.append", serial: serial(place), version: serial(version), offset, data };
}

function attached(place: number, resumed = false, hasOlder = false): ServerFrame {
  const connection = { protocol: 1, session: "s", connection: "c", client: "alice", expiresAt: 0 };
  const limits = { ...DEFAULT_LIMITS, frameBytes: 1000, publishMessages: 10 };
  return { type: "attached", ...connection, serial: serial(place), resumed, hasOlder, limits };
}

function caughtUp(place: number): ServerFrame {
  return { type: "caught-up", serial: serial(place) };
}

/** A log that holds what the frames say, and is caught up. */
function live(end: number, ...frames: ServerFrame[]): Log {
  const log = new Log();
  for (const frame of [attached(end), ...frames, caughtUp(end)]) log.take(frame);
  return log;
}

function texts(log: Log): unknown[] {
  return log.messages.map(({ data }) => data);
}

describe("the fold", () => {
  test("P3.7 the position stays during a replay, then follows every frame of the log", () => {
    const log = new Log();
    log.take(attached(9));
    log.take(create(3));
    assert.equal(log.position, undefined);
    log.take(caughtUp(9));
    assert.equal(log.position, serial(9));
    log.take(create(10));
    assert.equal(log.position, serial(10));
    const turn = { id: "t", status: "active", attempt: 1, createdAt: 1 } as const;
    log.take({ type: "turn.start", serial: serial(11), turn });
    assert.equal(log.position, serial(11));
    log.take({ type: "ack", ref: 1, result: { serial: serial(99) } });
    log.take({ type: "probe", n: 1 });
    assert.equal(log.position, serial(11), "acks move nothing");
    log.take({ type: "state.change", serial: serial(12) } as unknown as ServerFrame);
    assert.equal(log.position, serial(12), "a frame of a later protocol does");
  });

  test("P3.10 appends are put at their offset, taken twice or overlapping", () => {
    const log = live(1, create(1, { data: "", status: "streaming" }));
    log.take(append(1, 2, 0, "Hello"));
    log.take(append(1, 2, 0, "Hello"));
    log.take(append(1, 3, 5, ", wor"));
    log.take(append(1, 4, 3, "lo, world"));
    assert.deepEqual(texts(log), ["Hello, world"]);
    log.take(append(1, 2, 0, "Hel"));
    assert.deepEqual(texts(log), ["Hello, world"], "what is older changes nothing");
    log.take({ ...append(1, 5, 12, ""), status: "complete" } as ServerFrame);
    assert.equal(log.messages[0]?.status, "complete");
    assert.equal(log.gaps.size, 0);
  });

  test("P5.1 an append that closes a message may replace its headers", () => {
    const old = { part: "0", old: "x" };
    const log = live(1, create(1, { data: "", status: "streaming", headers: old }));
    log.take(append(1, 2, 0, "Hello"));
    assert.deepEqual(log.messages[0]?.headers, old);
    const headers = { part: "0", signature: "s" };
    log.take({ ...append(1, 3, 5, "!"), status: "complete", headers } as ServerFrame);
    const { data, status, headers: now } = log.messages[0] as Message;
    assert.deepEqual({ data, status, now }, { data: "Hello!", status: "complete", now: headers });
  });

  test("P3.10 a gap is read again, and what was read is not lost to what came before it", () => {
    const log = live(1, create(1, { data: "He", status: "streaming" }));
    log.take(append(1, 3, 5, " there"));
    assert.deepEqual([...log.gaps], [serial(1)]);
    assert.deepEqual(texts(log), ["He"], "nothing is shown that has a hole");
    log.mend(message(1, { version: serial(4), data: "Hello there!" }));
    log.take(append(1, 3, 5, " there"));
    assert.deepEqual(texts(log), ["Hello there!"]);
    assert.equal(log.gaps.size, 0);
    log.mend(message(1, { version: serial(9), data: "of another life" }));
    assert.deepEqual(texts(log), ["Hello there!"], "only what was asked for");
  });

  test("P3.7 what is older than what was replayed is ignored; what is newer is a gap", () => {
    const log = live(9, create(8));
    log.take(append(5, 10, 3, "x"));
    log.take({ type: "message.update", message: message(6, { version: serial(11) }) });
    log.take({ type: "message.delete", serial: serial(7), version: serial(12) });
    assert.deepEqual(texts(log), ["message 8"]);
    assert.equal(log.gaps.size, 0);
    assert.equal(log.position, serial(12), "but it moves the position");
    log.take(append(13, 14, 3, "x"));
    assert.deepEqual([...log.gaps], [serial(13)]);
  });

  test("P4.4 what changed without its data has the data that it had", () => {
    const log = live(2, create(1), create(2, { data: { a: 1 } }));
    const update = (of: number, at: number, more: Partial<Message>) => {
      const { data: _data, ...rest } = message(of, { version: serial(at) });
      log.take({ type: "message.update", message: { ...rest, ...more } });
    };
    update(1, 3, { headers: { n: "1" } });
    update(2, 4, { headers: { n: "2" } });
    assert.deepEqual(
      log.messages.map(({ data, headers }) => [data, headers]),
      [
        ["message 1", { n: "1" }],
        [{ a: 1 }, { n: "2" }],
      ],
    );
    update(2, 5, { data: null });
    assert.equal(log.messages[1]?.data, null, "null is data like any other");
  });

  test("P3.10 a gap stays one until what is read is no older than what is held", () => {
    const log = live(1, create(1, { status: "streaming", data: "a" }));
    log.take(append(1, 3, 5, "x"));
    const { data: _data, ...changed } = message(1, { version: serial(4) });
    log.take({ type: "message.update", message: { ...changed, headers: { n: "1" } } });
    log.mend(message(1, { version: serial(3), data: "abcdex" }));
    assert.deepEqual([...log.gaps], [serial(1)], "read before it changed: once more");
    log.mend(message(1, { version: serial(4), data: "abcdex", headers: { n: "1" } }));
    assert.deepEqual(texts(log), ["abcdex"]);
    assert.equal(log.gaps.size, 0);
  });

  test("P4.3 what is deleted leaves a tombstone without data", () => {
    const log = live(2, create(1), create(2, { status: "streaming", data: "x" }));
    log.take({ type: "message.delete", serial: serial(2), version: serial(3) });
    const [, gone] = log.messages;
    assert.equal(gone?.data, undefined);
    assert.equal(typeof gone?.deletedAt, "number");
    assert.notEqual(gone?.status, "streaming");
    log.take(append(2, 2, 1, "late"));
    assert.equal(log.messages[1]?.data, undefined);
  });

  test("P9.3 sums come with a version of their own", () => {
    const log = live(1, create(1));
    const annotations = { "like:distinct": { "": { total: 1, clients: { bob: 1 } } } };
    const [place, version] = [serial(1), serial(2)];
    log.take({ type: "message.summary", serial: place, version, annotations });
    assert.deepEqual(log.messages[0]?.annotations, annotations);
    assert.equal(log.messages[0]?.version, serial(1), "its own");
  });

  test("P11.2 what is trimmed goes, but for what still streams", () => {
    const log = live(4, create(1), create(2, { status: "streaming" }), create(3), create(4));
    log.take({ type: "log.trim", before: serial(4), keep: [serial(2)] });
    assert.deepEqual(
      log.messages.map((it) => it.serial),
      [serial(2), serial(4)],
    );
  });

  test("P11.2 final turns go with their last change, or with their messages", () => {
    const turn = (id: string, status: Turn["status"], more: Partial<Turn> = {}): Turn => ({
      ...{ id, status, attempt: 1, createdAt: 1 },
      ...more,
    });
    const told = (type: "turn.start" | "turn.end", place: number, what: Turn): ServerFrame => ({
      ...{ type, serial: serial(place), turn: what },
    });
    const log = live(
      6,
      told("turn.start", 1, turn("open", "active")),
      told("turn.end", 3, turn("old", "complete")),
      told("turn.end", 6, turn("late", "complete")),
      create(5, { turn: "read" }),
    );
    log.keep([], [turn("read", "complete"), turn("gone", "failed", { input: serial(2) })]);
    const steer = { message: serial(7), data: "shorter", turn: turn("open", "active") };
    log.take({ type: "turn.steer", serial: serial(7), ...steer });
    const before = log.turnList;
    log.take({ type: "log.trim", before: serial(4) });
    assert.deepEqual(
      log.turnList.map(({ id }) => id),
      ["open", "late", "read"],
    );
    assert.deepEqual([...log.turns.keys()], ["open", "late", "read"]);
    assert.equal(before.length, 5, "a new list");
    const kept = log.turnList;
    log.take({ type: "log.trim", before: serial(4) });
    assert.equal(log.turnList, kept, "nothing is different");
  });

  test("P3.7 a replay that was cut comes again and does no harm", () => {
    const log = live(2, create(1, { data: "He", status: "streaming" }));
    log.take(attached(9, true));
    log.take(append(1, 8, 2, "llo"));
    log.take(create(5));
    assert.equal(log.position, serial(2), "it was not caught up");
    log.take(attached(12, true));
    log.take(append(1, 11, 2, "llo, world"));
    for (const place of [5, 10]) log.take(create(place));
    log.take(caughtUp(12));
    assert.deepEqual(texts(log), ["Hello, world", "message 5", "message 10"]);
    assert.equal(log.position, serial(12));
  });

  test("what did not change stays the same object, and the list is never changed in place", () => {
    const log = live(3, create(1), create(2, { data: "", status: "streaming" }), create(3));
    const before = log.messages;
    const copy = [...before];
    log.take(append(2, 4, 0, "x"));
    const after = log.messages;
    assert.notEqual(after, before);
    assert.deepEqual(before, copy);
    assert.equal(after[0], before[0]);
    assert.notEqual(after[1], before[1]);
    assert.equal(after[2], before[2]);
    log.take({ type: "probe", n: 1 });
    log.take(append(2, 4, 0, ""));
    assert.equal(log.messages, after, "nothing changed");
  });

  test("any chunks, some twice, some again after a resume, add up to the text", (t) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    for (let round = 0; round < 200; round += 1) {
      const text = Array.from({ length: random.between(1, 60) }, (_, i) => `${i} `).join("");
      const log = live(1, create(1, { data: "", status: "streaming" }));
      const frames: ServerFrame[] = [];
      let version = 2;
      for (let offset = 0; offset < text.length; version += 1) {
        const length = random.between(1, 12);
        frames.push(append(1, version, offset, text.slice(offset, offset + length)));
        offset += length;
      }
      for (const [index, frame] of frames.entries()) {
        log.take(frame);
        if (random.below(4) === 0) log.take(frame);
        const earlier = frames[random.below(index + 1)];
        if (earlier && random.below(4) === 0) log.take(earlier);
      }
      assert.deepEqual(texts(log), [text]);
    }
  });
});

describe("loading older messages", () => {
  /** History of `count` messages: a page of it, as the session gives it (P3.9). */
  function reader(count: number, streaming: number[] = []) {
    const asked: number[] = [];
    const all = Array.from({ length: count }, (_, index) =>
      message(index + 1, streaming.includes(index + 1) ? { status: "streaming" } : {}),
    );
    const read = async (before: string | undefined, limit: number): Promise<Page> => {
      asked.push(limit);
      const older = all.filter((it) => before === undefined || it.serial < before).reverse();
      // A page may end early, by its bytes.
      const messages = older.slice(0, Math.min(limit, 40));
      return { messages, hasMore: messages.length < older.length };
    };
    return { read, asked, all };
  }

  test("exactly so many, in as few pages as it takes, all at once", async () => {
    const { read, asked, all } = reader(100);
    const log = new Log();
    log.take(attached(100, false, true));
    for (const it of all.slice(95)) log.take({ type: "message.create", message: it });
    log.take(caughtUp(100));
    const before = log.messages;
    const loading = loadOlder(log, 60, read);
    assert.equal(log.messages, before);
    assert.equal(await loading, 60);
    assert.deepEqual(asked, [60, 20]);
    assert.deepEqual(log.messages, all.slice(35));
    assert.equal(log.hasOlder, true);
    assert.equal(await loadOlder(log, 1000, read), 35);
    assert.deepEqual(log.messages, all);
    assert.equal(log.hasOlder, false);
    assert.equal(await loadOlder(log, 10, read), 0);
  });

  test("P3.3 no gap after an old message that still streamed when the reader came", async () => {
    const { read, all } = reader(50, [10]);
    const log = new Log();
    log.take(attached(50, false, true));
    for (const it of [all[9], ...all.slice(45)]) {
      if (it) log.take({ type: "message.create", message: it });
    }
    log.take(caughtUp(50));
    assert.equal(await loadOlder(log, 36, read), 36);
    assert.deepEqual(
      log.messages,
      all.filter((it) => it.serial === serial(10) || it.serial >= serial(10 - 1)),
    );
    await loadOlder(log, 1000, read);
    assert.deepEqual(log.messages, all);
  });

  test("what comes live meanwhile stays, and is there once", async () => {
    const { read, all } = reader(20);
    const log = new Log();
    log.take(attached(20, false, true));
    log.take(caughtUp(20));
    const loading = loadOlder(log, 5, read);
    log.take(create(21));
    await loading;
    assert.deepEqual(log.messages, [...all.slice(15), message(21)]);
  });

  test("only messages that are followed count", async () => {
    const { read, all } = reader(90);
    const isWanted = (it: Message) => Number.parseInt(it.serial.slice(4), 16) % 10 === 0;
    const log = live(90, create(90));
    log.hasOlder = true;
    assert.equal(await loadOlder(log, 3, read, isWanted), 3);
    assert.deepEqual(log.messages.map(({ data }) => data).slice(0, 3), [
      "message 60",
      "message 70",
      "message 80",
    ]);
    assert.equal(log.hasOlder, true);
    assert.equal(await loadOlder(log, 100, read, isWanted), all.filter(isWanted).length - 4);
  });
});
