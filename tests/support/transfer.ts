// Sessions as files, for tests of export, import and forks (P11.6).

import assert from "node:assert/strict";

export interface Line {
  type: string;
  serial?: string;
  count?: number;
  data?: string;
}

/** The lines of an export, which must be whole. */
export function linesOf(text: string): Line[] {
  assert.ok(text.endsWith("\n"), "the last line is whole");
  const lines = text.trimEnd().split("\n");
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  assert.equal(parsed.at(-1)?.type, "end");
  assert.equal(parsed.at(-1)?.count, parsed.length);
  return parsed;
}

/** The lines of a session that nobody can have made by hand: so many messages of so many bytes. */
export async function* linesOfMessages(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (value: object) => encoder.encode(`${JSON.stringify(value)}\n`);
  const first = { type: "export", version: 1, session: "big", epoch: "abcd", createdAt: 1 };
  yield line({ ...first, serial: "abcd00000000", at: 1, settings: {} });
  const data = "x".repeat(bytes);
  for (let place = 1; place <= count; place += 1) {
    const serial = `abcd${place.toString(16).padStart(8, "0")}`;
    const who = { name: "message", client: "ann", role: "user" };
    const times = { createdAt: place, updatedAt: place };
    yield line({ type: "message", serial, version: serial, ...who, data, ...times });
  }
  yield line({ type: "end", count: count + 2 });
}

/** A body that is made as it is sent. */
export function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}
