// Turns led with nothing but fetch, followed with nothing but SSE (P3.8, P5.5, P6, P12).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message, Turn } from "../support/frames.ts";
import { assertRefused, call, getHistory, getMessage, streamBody } from "../support/http.ts";
import { EventReader } from "../support/reader.ts";
import { AGENT, getTurn, settings, USER } from "../support/turns.ts";
import { until, within } from "../support/wait.ts";

const fixture = useServer();
const TEXT = "text/plain";
const LINES = "application/x-ndjson";

async function begin(session: string, json: Record<string, unknown> = {}): Promise<Turn> {
  const answer = await call(fixture.server, session, "POST", "/turns", { ...AGENT, json });
  assert.equal(answer.status, 201, answer.text);
  return (answer.body as { turn: Turn }).turn;
}

async function watch(session: string): Promise<EventReader> {
  const reader = new EventReader(fixture.server, session, { sub: "reader" });
  await reader.attach();
  return reader;
}

describe("turns by fetch alone", () => {
  test("P6.5, P5.5 a body in a turn that is cancelled stops with turn-closed", async () => {
    const session = fixture.session();
    await settings(fixture.server, session, { cancelGraceMs: 300 });
    const reader = await watch(session);
    const { id, attempt } = await begin(session);
    const path = `/messages?stream=1&turn=${id}&attempt=${attempt}`;
    const body = await streamBody(fixture.server, session, path, TEXT, AGENT);
    body.write("thinking");
    await reader.holds((fold) => fold.newest?.data === "thinking", "the first piece");
    const serial = reader.fold.newest?.serial ?? "";
    const asked = await call(fixture.server, session, "POST", `/turns/${id}/cancel`, USER);
    assert.equal(asked.status, 200, asked.text);
    body.write(", still");
    await reader.holds((fold) => fold.text(serial) === "thinking, still", "what the grace lets");
    await until(
      () => getTurn(fixture.server, session, id),
      (turn) => turn.status === "cancelled",
      "the end of the grace",
    );
    body.write(", on and on");
    const answer = await within(body.answer, "the answer, before the body's end");
    assert.equal(answer.status, 409, answer.text);
    assert.equal(JSON.parse(answer.text).error.code, "turn-closed");
    const message = await getMessage(fixture.server, session, serial);
    assert.deepEqual([message.data, message.status], ["thinking, still", "cancelled"]);
    await reader.holds((fold) => fold.messages.get(serial)?.status === "cancelled", "its end");
    reader.fold.assertSound();
    body.cut();
    await reader.cut();
  });

  test("P6.8 a body's bytes keep its turn alive, over the session's sleep", async () => {
    const session = fixture.session();
    const reader = await watch(session);
    const { id, attempt } = await begin(session, { leaseMs: 3000 });
    const path = `/messages?stream=1&turn=${id}&attempt=${attempt}`;
    const body = await streamBody(fixture.server, session, path, TEXT, AGENT);
    let expected = "";
    for (let i = 0; i < 5; i += 1) {
      expected += `${i} `;
      body.write(`${i} `);
      await reader.holds((fold) => fold.newest?.data === expected, `piece ${i}`);
      await fixture.server.evict(session);
      await new Promise((done) => setTimeout(done, 1000));
    }
    assert.equal((await getTurn(fixture.server, session, id)).status, "active");
    body.end();
    const answer = await within(body.answer, "the answer");
    assert.equal(answer.status, 201, answer.text);
    assert.equal((JSON.parse(answer.text) as { message: Message }).message.status, "complete");
    const json = { status: "complete", attempt };
    const ended = await call(fixture.server, session, "POST", `/turns/${id}/end`, {
      ...AGENT,
      json,
    });
    assert.equal(ended.status, 200, ended.text);
    await reader.holds((fold) => fold.turns.get(id)?.status === "complete", "the turn's end");
    reader.fold.assertSound();
    await reader.cut();
  });

  test("P6.8, P12.1 lines that start a turn lead it, and take nothing with them", async () => {
    const session = fixture.session();
    const reader = await watch(session);
    const body = await streamBody(fixture.server, session, "/frames", LINES, AGENT);
    const answers: { type: string; ref: number; error?: { code: string } }[] = [];
    let text = "";
    body.onChunk = (chunk) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      answers.push(...lines.map((line) => JSON.parse(line)));
    };
    const say = async (frame: Record<string, unknown>) => {
      const ref = answers.length;
      body.write(`${JSON.stringify({ ...frame, ref })}\n`);
      await until(
        async () => answers.length,
        (length) => ref < length,
        "the answer to a line",
      );
      return answers[ref];
    };
    await say({ type: "turn.start", id: "t", leaseMs: 2000 });
    const data = { role: "assistant", turn: "t", data: "a", status: "streaming" };
    assert.equal((await say({ type: "publish", messages: [data] }))?.type, "ack");
    await reader.holds((fold) => fold.newest?.data === "a", "the message");
    const serial = reader.fold.newest?.serial ?? "";
    assert.equal((await say({ type: "append", serial, data: "b", seq: 1 }))?.type, "ack");
    for (const type of ["presence.set", "seen", "auth"]) {
      const answer = await say({ type, n: 1, token: "x" });
      assert.equal(answer?.error?.code, "unknown-frame", type);
    }
    body.cut();
    // P6.5: a closed connection is never a cancel; P6.8: without a word the lease runs out.
    assert.equal((await getTurn(fixture.server, session, "t")).status, "active");
    const append = { type: "append", serial, data: "c", seq: 2 };
    const unfenced = await call(fixture.server, session, "POST", "/frames", {
      ...AGENT,
      json: append,
    });
    assertRefused(unfenced, 409, "not-leader");
    const fenced = await call(fixture.server, session, "POST", "/frames", {
      ...AGENT,
      json: { ...append, attempt: 1 },
    });
    assert.equal(fenced.status, 200, fenced.text);
    await reader.holds((fold) => fold.turns.get("t")?.reason === "agent-lost", "the lost agent");
    const [message] = await getHistory(fixture.server, session);
    assert.deepEqual([message?.data, message?.status], ["abc", "failed"]);
    reader.fold.assertSound();
    await reader.cut();
  });

  test("P3.8 an event stream that resumes has every turn as it stands", async () => {
    const session = fixture.session();
    const reader = await watch(session);
    const user = await connect(fixture.server, session, USER);
    const input = await user.publish("question");
    const { id, attempt } = await begin(session, { input });
    await reader.holds((fold) => fold.turns.get(id)?.status === "active", "the turn");
    await reader.cut();
    await user.ok({ type: "steer", turn: id, data: "faster" });
    const json = { status: "failed", attempt, error: { code: "x" } };
    await call(fixture.server, session, "POST", `/turns/${id}/end`, { ...AGENT, json });
    const again = await begin(session, { input, id: "second", again: true });
    await fixture.server.evict(session);
    await reader.attach();
    assert.equal(reader.fold.turns.get(id)?.status, "failed");
    assert.equal(reader.fold.turns.get(again.id)?.status, "active");
    await user.ok({ type: "cancel", all: true });
    await reader.holds((fold) => fold.turns.get("second")?.cancel !== undefined, "the cancel");
    assert.equal(reader.events?.lastEventId, reader.fold.position);
    reader.fold.assertSound();
    await reader.cut();
    // Nothing is left that keeps the session from resting.
    await call(fixture.server, session, "POST", "/turns/second/end", {
      ...AGENT,
      json: { status: "cancelled", attempt: 1 },
    });
  });
});
