// Much at once, against the real Worker: many parts, large texts, large values, an agent far away.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { useServer } from "../../../../tests/support/fixture.ts";
import { getHistory } from "../../../../tests/support/http.ts";
import { assertText } from "../../../../tests/support/text.ts";
import { type AiSdkChunk, aiSdk } from "../../../src/agent/index.ts";
import { DEFAULT_LIMITS, type Message } from "../../../src/protocol/index.ts";
import { join, LINKS } from "./agent.ts";

const fixture = useServer();

async function history(session: string): Promise<Message[]> {
  return (await getHistory(fixture.server as never, session)) as unknown as Message[];
}

/** The JSON of a call's input, in pieces as a provider streams it. */
function* streamed(id: string, input: unknown): Generator<AiSdkChunk & Record<string, unknown>> {
  const json = JSON.stringify(input);
  const call = { toolCallId: id, toolName: "write" };
  yield { type: "tool-input-start", ...call };
  for (let at = 0; at < json.length; at += 4000) {
    const inputTextDelta = json.slice(at, at + 4000);
    yield { type: "tool-input-delta", toolCallId: id, inputTextDelta };
  }
  yield { type: "tool-input-available", ...call, input };
}

for (const [name, link] of Object.entries(LINKS)) {
  const options = link ? { link } : {};

  describe(`an answer over ${name}`, () => {
    test("may be as long as a message may be", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      // Its last byte is the last that there is room for (P14).
      const line = "a line of text, é and 🌊\n";
      const lines = Math.floor(DEFAULT_LIMITS.dataBytes / Buffer.byteLength(line));
      const rest = DEFAULT_LIMITS.dataBytes - lines * Buffer.byteLength(line);
      const text = line.repeat(lines) + "x".repeat(rest);
      assert.equal(Buffer.byteLength(text), 1024 * 1024);
      const pieces = text.match(/[\s\S]{1,3000}/g) ?? [];
      await turn.stream(pieces);
      assert.equal((await turn.end()).status, "complete");
      assertText((await history(session))[0]?.data, text);
    });

    test("may hold a call whose input no frame can hold", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      const input = { path: "a.txt", content: "a line of a file\n".repeat(51_800) };
      assert.ok(JSON.stringify(input).length > 900 * 1024);
      const parts = [
        { type: "start" },
        ...streamed("c1", input),
        { type: "tool-output-available", toolCallId: "c1", output: { written: input.content } },
        { type: "text-start", id: "0" },
        { type: "text-delta", id: "0", delta: "Written." },
        { type: "text-end", id: "0" },
        { type: "finish" },
      ];
      assert.deepEqual(await turn.stream(parts, aiSdk()), { status: "complete" });
      assert.equal((await turn.end()).status, "complete");
      const found = await history(session);
      const of = (what: string) => found.find((it) => it.name === what);
      assert.equal(of("tool-input")?.headers?.encoding, "json");
      assert.deepEqual(JSON.parse(String(of("tool-input")?.data)), input);
      assert.deepEqual(JSON.parse(String(of("tool-output")?.data)), { written: input.content });
      assert.equal(of("message")?.data, "Written.");
    });
  });
}

test("20 000 parts of one turn leave no more than their places behind", async () => {
  const session = fixture.session();
  await using agent = join(fixture.server, session);
  const turn = await agent.startTurn();
  // As `node --expose-gc` has it.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const PARTS = 20_000;
  let freed = 0;
  const registry = new FinalizationRegistry(() => {
    freed += 1;
  });
  async function* parts(): AsyncGenerator<AiSdkChunk> {
    for (let n = 0; n < PARTS; n += 4) {
      const said = [
        { type: "text-start", id: "0" },
        { type: "text-delta", id: "0", delta: `part ${n}` },
        { type: "text-end", id: "0" },
        { type: "source-url", sourceId: `s${n}`, url: "https://example.com/" },
      ];
      for (const part of said) {
        registry.register(part, undefined);
        yield part;
      }
    }
    yield { type: "finish" };
    collect();
    await new Promise((done) => setTimeout(done, 50));
    collect();
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.deepEqual(await turn.stream(parts(), aiSdk()), { status: "complete" });
  assert.ok(freed > PARTS * 0.9, `${freed} of ${PARTS} parts were freed`);
  await turn.end();
  const said = (await history(session)).filter(({ name: is }) => is === "message");
  assert.deepEqual(
    said.map(({ data }) => data),
    Array.from({ length: PARTS / 4 }, (_, at) => `part ${at * 4}`),
  );
});
