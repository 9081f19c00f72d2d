// How stored runs end that TanStack AI's server writes, and what they are called.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StreamChunk } from "@tanstack/ai";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import {
  type SessileConnection,
  type SessionDurability,
  type SessionDurabilityOptions,
  sessionDurability,
} from "../../../src/tanstack/index.ts";
import { Pages } from "./pages.ts";

const fixture = serve();
const pages = new Pages(fixture);

type Loose = { type: string } & Record<string, unknown>;

const CHUNKS = [
  { type: "RUN_STARTED", threadId: "t", runId: "provider-run" },
  { type: "TEXT_MESSAGE_START", messageId: "m1", role: "assistant" },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "m1", delta: "Well, " },
  { type: "TEXT_MESSAGE_END", messageId: "m1" },
  { type: "RUN_FINISHED", threadId: "t", runId: "provider-run", finishReason: "stop" },
] as unknown as StreamChunk[];

function durability(
  session: string,
  { runId }: { runId: string },
  options: Partial<SessionDurabilityOptions> = {},
): SessionDurability {
  const { url } = fixture.server;
  const token = () => pages.token("agent", "agent");
  return sessionDurability({ runId }, { url, session, token, ...options });
}

async function connected(session: string): Promise<SessileConnection> {
  const { connection } = pages.page(session);
  await connection.session.connect();
  return connection;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

describe("a stored run", () => {
  test("whose chunks stop without an end has failed, unless that is how they are", async () => {
    const session = fixture.session();
    const page = await connected(session);
    const chunks = CHUNKS.slice(0, -1);
    const turnOf = (id: string) =>
      until(
        () => page.session.turns.find((turn) => turn.id === id),
        (turn) => turn?.endedAt !== undefined,
        "the end",
      );
    const cut = durability(session, { runId: "run-1" });
    await cut.append(chunks);
    await cut.close();
    const turn = await turnOf("run-1");
    assert.equal(turn?.status, "failed");
    assert.equal((turn?.error as Loose | undefined)?.code, "stream-cut");
    const seen = await within(all(durability(session, { runId: "run-1" }).read("-1")), "the end");
    const last = seen.at(-1)?.chunk as unknown as Loose;
    assert.deepEqual([last.type, last.code], ["RUN_ERROR", "stream-cut"]);

    const open = durability(session, { runId: "run-2" }, { mayEndOpen: true });
    await open.append(chunks);
    await open.close();
    assert.equal((await turnOf("run-2"))?.status, "complete");

    // A process that goes on after all was stored has nothing to add but the end.
    const first = durability(session, { runId: "run-3" }, { leaseMs: 1000 });
    await first.append(CHUNKS);
    const second = durability(session, { runId: "run-3" }, { leaseMs: 1000 });
    await second.append([]);
    await second.close();
    assert.equal((await turnOf("run-3"))?.status, "complete");
  });

  test("has odd text in an error, and an id of full length, and is whole", async () => {
    const session = fixture.session();
    const runId = "r".repeat(128);
    const adapter = durability(session, { runId });
    const message = `away \ud83d ${"and further away ".repeat(1000)}`;
    const chunks = [...CHUNKS.slice(0, -1), { type: "RUN_ERROR", message }];
    await adapter.append(chunks as StreamChunk[]);
    await adapter.close();
    const page = await connected(session);
    const [turn] = page.session.turns;
    assert.equal(turn?.status, "failed");
    const said = String((turn?.error as Loose | undefined)?.message);
    assert.ok(said.startsWith("away \ufffd and"), said);
    const stored = await durability(session, { runId }).snapshot();
    assert.deepEqual(
      stored.map(({ chunk }) => chunk),
      chunks,
    );
  });
});
