// P6.12: an agent reports what its turns use, and a page shows it; a spent budget stops the agent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { settings } from "../../../../tests/support/turns.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { openAi, SessileError } from "../../../src/agent/index.ts";
import type { AgentTurn } from "../../../src/agent/turn.ts";
import { streamToTurn } from "../../../src/ai-sdk/index.ts";
import { type Session, usageOf, usageOfTree } from "../../../src/index.ts";
import { say } from "../../ai-sdk/agent.ts";
import { open, shows } from "../../support.ts";
import { ANSWER } from "../streams/openai.ts";
import { getTurn, join, LINKS, Tap } from "./agent.ts";

const fixture = useServer();

/** The frames about usage that a page is sent. */
function listen(page: Session): string[] {
  const heard: string[] = [];
  page.on("frame", ({ type }) => {
    if (type === "turn.usage") heard.push(type);
  });
  return heard;
}

for (const [name, link] of Object.entries(LINKS)) {
  test(`P6.12 a turn over ${name} reports by its codec, by hand and at its end`, async (t) => {
    const session = fixture.session();
    const page = await open(t, fixture.server, session);
    const usage = usageOf(page);
    await using agent = join(fixture.server, session, link ? { link } : {});
    const turn = await agent.startTurn();
    await turn.stream(ANSWER, openAi());
    turn.usage({ costMicros: 12 });
    const ended = await turn.end({ usage: { costMicros: 3, calls: 1 } });
    const sums = {
      ...{ inputTokens: 9, outputTokens: 21, totalTokens: 30 },
      ...{ costMicros: 15, calls: 1 },
    };
    assert.deepEqual(ended.usage, sums);
    await shows(page, () => usage.value.sums.calls === 1, "the sums");
    assert.deepEqual(usage.value, { sums, overBudget: undefined });
    assert.deepEqual(page.turns.at(-1)?.usage, sums);
    const late = await open(t, fixture.server, session);
    await until(
      () => usageOf(late).value.sums,
      (it) => it.costMicros === 15,
      "the sums of a page that asks late",
    );
    assert.deepEqual(usageOf(late).value.sums, sums);
  });
}

test("P6.12 many small reports of a turn are few frames, and exact over cuts", async (t) => {
  const session = fixture.session();
  const page = await open(t, fixture.server, session);
  const heard = listen(page);
  const usage = usageOf(page);
  await using agent = join(fixture.server, session);
  const root = await agent.startTurn({ id: "root" });
  const child = await agent.startTurn({ id: "child", within: "root" });
  for (let n = 0; n < 300; n += 1) {
    root.usage({ tokens: 1 });
    child.usage({ tokens: 2 });
    if (n % 100 === 50) await fixture.server.evict(session);
    await new Promise((done) => setTimeout(done, 5));
  }
  await child.end();
  await root.end();
  assert.equal((await getTurn(fixture.server, session, "root")).usage?.tokens, 300);
  await shows(page, ({ turns }) => turns.every(({ endedAt }) => endedAt), "the ends");
  assert.deepEqual(usageOfTree(page.turns, "root"), { tokens: 900 });
  assert.equal(usage.value.sums.tokens, 900);
  assert.ok(heard.length < 60, `${heard.length} frames for 600 reports`);
});

test("P6.12 streamText reports the tokens of its answer", async () => {
  const session = fixture.session();
  await using agent = join(fixture.server, session);
  const turn = await agent.startTurn();
  const model = new MockLanguageModelV4({ doStream: async () => ({ stream: say("Hello!", 0) }) });
  await streamToTurn(turn, streamText({ model, prompt: "Hello?" }));
  const { usage } = await turn.end();
  assert.deepEqual(usage, { inputTokens: 1, outputTokens: 1, totalTokens: 2 });
});

test("P6.12 a spent budget stops an agent until it is raised", async (t) => {
  const session = fixture.session();
  await settings(fixture.server, session, { budget: { tokens: 10 } });
  const page = await open(t, fixture.server, session);
  const usage = usageOf(page);
  await using agent = join(fixture.server, session);
  const turns: AgentTurn[] = [];
  const streams = [1, 2, 3].map(async (n) => {
    const turn = await agent.startTurn({ id: `t${n}` });
    turns.push(turn);
    const tap = new Tap<string>();
    tap.give(`so far ${n}`);
    const result = await turn.stream(tap);
    await turn.end();
    return [result.status, turn.info.cancel?.reason];
  });
  await shows(page, ({ messages }) => messages.length === 3, "three streams");
  turns[1]?.usage({ tokens: 11 });
  const ends = await within(Promise.all(streams), "the streams to stop");
  assert.deepEqual(ends, Array(3).fill(["cancelled", "budget"]));
  await shows(page, () => usage.value.overBudget !== undefined, "the spent budget");
  assert.deepEqual(usage.value.overBudget, { name: "tokens", limit: 10, used: 11 });
  assert.deepEqual(page.messages.map(({ data }) => data).sort(), [
    "so far 1",
    "so far 2",
    "so far 3",
  ]);
  const refusal = await agent.startTurn().catch((error) => error);
  assert.ok(refusal instanceof SessileError);
  assert.deepEqual([refusal.code, refusal.info?.used], ["over-budget", 11]);
  await settings(fixture.server, session, { budget: { tokens: 100 } });
  await shows(page, () => usage.value.overBudget === undefined, "the raised budget");
  const turn = await agent.startTurn();
  assert.equal((await turn.end()).status, "complete");
});
