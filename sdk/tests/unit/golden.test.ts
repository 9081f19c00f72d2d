// Golden frames: the files that the core's tests read and write (tests/protocol.rs), so that
// neither side can drift.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
  CLOSE,
  type ClientFrame,
  ERROR_STATUS,
  placeOf,
  type ServerFrame,
} from "../../src/index.ts";
import { Log } from "../../src/log/log.ts";

function fixture(name: string): unknown {
  const path = new URL(`../../../tests/fixtures/frames/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

interface Golden<F> {
  name: string;
  frame: F;
}

/** Every type that the SDK may send; the compiler sees to it that none is missing. */
const SENT: Record<ClientFrame["type"], true> = {
  publish: true,
  append: true,
  update: true,
  delete: true,
  signal: true,
  "turn.start": true,
  "turn.end": true,
  "turn.suspend": true,
  "turn.resume": true,
  "turn.heartbeat": true,
  "turn.usage": true,
  "turn.adopt": true,
  "turn.steered": true,
  cancel: true,
  steer: true,
  "approval.request": true,
  "approval.decide": true,
  "approval.withdraw": true,
  "grant.revoke": true,
  "tool.call": true,
  "tool.claim": true,
  "tool.result": true,
  "tool.withdraw": true,
  "lead.take": true,
  "lead.return": true,
  state: true,
  annotate: true,
  unannotate: true,
  read: true,
  notify: true,
  "presence.set": true,
  "presence.leave": true,
  auth: true,
  seen: true,
};

/** Every type that the SDK knows of those that come. */
const KNOWN: Record<ServerFrame["type"], true> = {
  attached: true,
  "caught-up": true,
  "message.create": true,
  "message.update": true,
  "message.append": true,
  "message.delete": true,
  "message.summary": true,
  "log.trim": true,
  "turn.start": true,
  "turn.suspend": true,
  "turn.resume": true,
  "turn.cancel": true,
  "turn.queue": true,
  "turn.adopt": true,
  "turn.end": true,
  "turn.usage": true,
  usage: true,
  "turn.steer": true,
  "approval.request": true,
  "approval.escalate": true,
  "approval.decide": true,
  "approval.expire": true,
  "approval.withdraw": true,
  "grant.revoke": true,
  "tool.call": true,
  "tool.claim": true,
  "tool.result": true,
  "tool.expire": true,
  "lead.take": true,
  "lead.return": true,
  "state.change": true,
  "read.mark": true,
  "presence.enter": true,
  "presence.update": true,
  "presence.leave": true,
  "presence.count": true,
  signal: true,
  ack: true,
  nack: true,
  "token-expiring": true,
  probe: true,
};

describe("golden frames", () => {
  const frames = fixture("server") as Golden<ServerFrame>[];

  test("both sides know the same types", () => {
    const sent = (fixture("client") as Golden<ClientFrame>[]).map(({ frame }) => frame.type);
    assert.deepEqual([...new Set(sent)].sort(), Object.keys(SENT).sort());
    const unknown = frames.filter(({ frame }) => !(frame.type in KNOWN));
    assert.deepEqual(unknown, []);
  });

  test("every frame that the core writes is taken", () => {
    const log = new Log();
    for (const { frame } of frames) if (frame.type !== "log.trim") log.take(frame);
    const held = new Map(log.messages.map((it) => [it.serial, it]));
    assert.ok(held.get("k3x900000002"));
    assert.equal(log.turns.get("t1")?.status, "active");
    assert.equal(log.position, "k3x90000000c");
  });

  test("each brings its reader to its place", () => {
    const places = Object.fromEntries(frames.map(({ name, frame }) => [name, placeOf(frame)]));
    assert.equal(places.create, "k3x900000001");
    assert.equal(places["create with everything"], "k3x90000000a");
    assert.equal(places.append, "k3x900000003");
    assert.equal(places["turn.steer"], "k3x900000004");
    for (const name of [
      "attached",
      "ack of publish",
      "ack of steer",
      "nack",
      "probe",
      "signal",
      "read.mark",
    ]) {
      assert.equal(places[name], "", name);
    }
  });

  test("the tables of codes are those of the core", () => {
    const tables = fixture("tables") as { errors: unknown; closes: Record<string, number> };
    assert.deepEqual(tables.errors, { ...ERROR_STATUS });
    const camel = (name: string) => name.replace(/ ./g, (it) => it.slice(1).toUpperCase());
    const closes = Object.entries(tables.closes).map(([name, code]) => [camel(name), code]);
    assert.deepEqual(Object.fromEntries(closes), { ...CLOSE });
  });
});
