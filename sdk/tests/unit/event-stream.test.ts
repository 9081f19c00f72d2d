// Event streams as they really come: every way to end a line, cut anywhere (P3.8).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readEvents } from "../../src/agent/index.ts";
import { readFrameEvents, type SseEvent } from "../../src/connection/event-stream.ts";

type Piece = string | Uint8Array;

function bodyOf(...pieces: Piece[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) {
        controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      }
      controller.close();
    },
  });
}

async function eventsOf(...pieces: Piece[]): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for await (const event of readEvents(bodyOf(...pieces))) events.push(event);
  return events;
}

async function dataOf(...pieces: Piece[]): Promise<string[]> {
  return (await eventsOf(...pieces)).map(({ data }) => data);
}

describe("an event stream", () => {
  test("ends lines with LF, CRLF and CR, and with no other character", async () => {
    const text = "a\u2028b\u2029c\u0085d\u000be\u000cf";
    for (const end of ["\n", "\r\n", "\r"]) {
      const stream = `data: ${text}${end}${end}data: two${end}data: 2${end}${end}`;
      const expected = [text, "two\n2"];
      assert.deepEqual(await dataOf(stream), expected, JSON.stringify(end));
      // One byte at a time, in the middle of a character and of a line's end.
      const bytes = [...new TextEncoder().encode(stream)].map((byte) => Uint8Array.of(byte));
      assert.deepEqual(await dataOf(...bytes), expected, JSON.stringify(end));
    }
  });

  test("is told as soon as the blank line is there, however it ends", async () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      let give: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          give = controller;
        },
      });
      const events = readEvents(body);
      give?.enqueue(new TextEncoder().encode(`data: now${end}${end}`));
      assert.equal((await events.next()).value?.data, "now");
      await events.return(undefined);
    }
  });

  test("may end without the last blank line", async () => {
    for (const end of ["", "\n", "\r", "\r\n", "\n\n"]) {
      assert.deepEqual(await dataOf("data: a\n\n", `data: b${end}`), ["a", "b"]);
    }
  });

  test("may begin with a byte order mark, cut or whole", async () => {
    const mark = Uint8Array.of(0xef, 0xbb, 0xbf);
    assert.deepEqual(await dataOf(mark, "data: x\n\n"), ["x"]);
    assert.deepEqual(await dataOf(mark.slice(0, 1), mark.slice(1), "data: x\n\n"), ["x"]);
  });

  test("knows fields by their whole name, with or without a value", async () => {
    assert.deepEqual(await dataOf("data-x: no\ndatax: no\ndata: x\n\n"), ["x"]);
    assert.deepEqual(await dataOf("data\n\n", "data:  two\ndata:three\n\n"), ["", " two\nthree"]);
    assert.deepEqual(await dataOf(": ping\n\n", "event: none\n\n", "\n\n"), []);
    assert.deepEqual(await eventsOf("id: 7\nevent: delta\nretry: 10\ndata: x\n\ndata: y\n\n"), [
      { id: "7", event: "delta", data: "x" },
      { data: "y" },
    ]);
  });

  test("stops reading when nobody wants more", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
      cancel: () => {
        isCancelled = true;
      },
    });
    for await (const _ of readEvents(body)) break;
    assert.ok(isCancelled);
  });

  test("P3.7 frames of one array come together; what is not in the log comes at once", async () => {
    const frame = (type: string) => `data: ${JSON.stringify({ type })}\n\n`;
    const groups: string[][] = [];
    const body = bodyOf(
      frame("attached"),
      `${frame("message.append")}${frame("message.update")}id: 1\n${frame("turn.end")}`,
      `${frame("signal")}id: 2\n${frame("caught-up")}`,
    );
    for await (const frames of readFrameEvents(body)) groups.push(frames.map(({ type }) => type));
    assert.deepEqual(groups, [
      ["attached"],
      ["message.append", "message.update", "turn.end"],
      ["signal"],
      ["caught-up"],
    ]);
  });
});
