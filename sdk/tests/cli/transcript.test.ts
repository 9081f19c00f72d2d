// A session in a terminal: nothing is printed twice, mixed up, or obeyed.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Even } from "../../src/cli/even.ts";
import { oneLine, safe, styled, table } from "../../src/cli/print.ts";
import { Transcript } from "../../src/cli/transcript.ts";
import type { Message, MessageStatus } from "../../src/index.ts";

function message(serial: string, data: unknown, status?: MessageStatus, version = serial): Message {
  return {
    serial,
    version,
    name: "message",
    client: `c${serial}`,
    role: "user",
    data,
    createdAt: 0,
    updatedAt: 0,
    ...(status && { status }),
  };
}

/** The text that a list adds. */
function shown(transcript: Transcript, ...messages: Message[]): string {
  return transcript
    .look(messages)
    .map(({ text }) => text)
    .join("");
}

test("a message that grows is printed piece by piece, once", () => {
  const it = new Transcript();
  assert.equal(shown(it, message("1", "Hel", "streaming")), "c1: Hel");
  assert.equal(shown(it, message("1", "Hel", "streaming")), "");
  assert.equal(shown(it, message("1", "Hello", "streaming", "2")), "lo");
  assert.equal(shown(it, message("1", "Hello", "complete", "3")), "\n");
  // Its sums changed.
  assert.equal(shown(it, message("1", "Hello", "complete", "4")), "");
  assert.equal(shown(it, message("1", "Bye", "complete", "5")), "c1 (edited): Bye\n");
});

test("of two that stream the second waits, and one that is whole goes between", () => {
  const it = new Transcript();
  const one = message("1", "a", "streaming");
  const two = message("2", "x", "streaming");
  assert.equal(shown(it, one, two), "c1: a");
  assert.equal(shown(it, one, message("2", "xy", "streaming", "3")), "");
  const said = message("4", { n: 1 });
  assert.equal(shown(it, one, two, said), '\nc4: {"n":1}\n');
  assert.equal(shown(it, one, two, said), "", "nothing is new");
  const grown = message("1", "ab", "streaming", "5");
  assert.equal(shown(it, grown, two, said), "c1 (continued): b");
  const failed = message("1", "ab", "failed", "6");
  assert.equal(
    shown(it, failed, message("2", "xyz", "streaming", "7"), said),
    " [failed]\nc2: xyz",
  );
  assert.equal(it.note("the end").text, "\n· the end\n");
});

test("a message that is deleted while it streams gives way to the next", () => {
  const it = new Transcript();
  const next = message("2", "x", "streaming");
  assert.equal(shown(it, message("1", "a", "streaming"), next), "c1: a");
  assert.equal(shown(it, next), "\nc2: x");
});

test("text of others moves no cursor, and hides nothing", () => {
  const it = new Transcript();
  const hostile = { ...message("1", "a\x1b[2Jb\rc\u202ed\u0085\n\te"), client: "x\x07y" };
  assert.equal(shown(it, hostile), "x\\u0007y: a\\u001b[2Jb\\u000dc\\u202ed\\u0085\n\te\n");
  assert.equal(safe("a\r\nb"), "a\nb");
  assert.equal(oneLine("a\n\x1b b", 10), "a \\u001b b");
  assert.equal([...oneLine("🌊".repeat(9), 4)].join(), "🌊,🌊,🌊,…");
});

test("there is no colour without a terminal, or with NO_COLOR", () => {
  assert.equal(styled({ isTty: true, env: {} }, "red", "x"), "\x1b[31mx\x1b[39m");
  assert.equal(styled({ isTty: false, env: {} }, "red", "x"), "x");
  assert.equal(styled({ isTty: true, env: { NO_COLOR: "1" } }, "red", "x"), "x");
  assert.equal(table(["a", "b"], [["long", "1"]]), "A     B\nlong  1\n");
});

test("a burst is written evenly within its window, and whole characters at a time", (t) => {
  mock.timers.enable({ apis: ["setInterval"] });
  t.after(() => mock.timers.reset());
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const written: string[] = [];
  const even = new Even((text) => written.push(text), 300);
  const burst = "🌊".repeat(100);
  even.add(burst, true);
  for (; now < 300; ) {
    now += 30;
    mock.timers.tick(30);
  }
  assert.equal(written.join(""), burst);
  assert.ok(written.length > 5, `${written.length} pieces`);
  assert.ok(Math.max(...written.map(({ length }) => length)) < burst.length / 4);
  assert.ok(written.every((text) => text.isWellFormed()));
  even.add("more", true);
  even.add("\n", false);
  assert.equal(written.at(-1), "more\n", "what does not grow waits for nothing");
});
