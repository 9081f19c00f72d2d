// Agents that take their work from an inbox, against a real Worker (P15.3): processes that compete,
// wires that break, processes that die.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Client, connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { getTurns, settings, USER } from "../../../../tests/support/turns.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { readMessage } from "../../../src/agent/index.ts";
import { createInbox } from "../../../src/inbox/index.ts";
import { type Answerer, type WorkOptions, workOn } from "../../../src/wake/index.ts";
import { contents } from "../../agent/workerd/agent.ts";
import { QUICK } from "../../support.ts";

const fixture = useServer();
let bots = 0;

/** An agent's client that no other test has. */
function bot(): string {
  bots += 1;
  return `bot-${bots}`;
}

/** A session whose inputs are work of a client. */
async function agentOf(t: TestContext, client: string, more = {}) {
  const session = fixture.session("work");
  await settings(fixture.server, session, { agent: { inbox: client }, ...more });
  const user = await connect(fixture.server, session, USER);
  t.after(() => user.close());
  return { session, user };
}

const echo: Answerer = async (turn, { input = "" }) => {
  const { data } = await readMessage(turn.host, input);
  await turn.message(`You said: ${data}`);
};

/** A process of the agent; it works until the test is over. */
function work(t: TestContext, client: string, answerer = echo, options: WorkOptions = {}) {
  const token = () => makeToken({ sub: client, caps: { "*": ["agent"] } });
  const inbox = createInbox({ url: fixture.server.url, token, timing: QUICK });
  const stop = new AbortController();
  const onError = (error: unknown): void => assert.fail(String(error));
  const working = workOn(inbox, answerer, { onError, ...options, signal: stop.signal });
  t.after(() => {
    stop.abort();
    return working;
  });
  return { inbox, stop, working };
}

async function ends(session: string, count: number) {
  const all = async () => (await getTurns(fixture.server, session, "?status=all")).turns;
  const isOver = (turns: { endedAt?: number }[]) =>
    turns.length >= count && turns.every(({ endedAt }) => endedAt !== undefined);
  return until(all, isOver, `${count} turns to end`);
}

async function say(user: Client, count: number): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, at) => `input ${at}`);
  for (const text of texts) await user.publish(text);
  return texts;
}

test("P15.3 three processes and ten inputs: each is taken once, in order", async (t) => {
  const client = bot();
  const { session, user } = await agentOf(t, client, { onInput: "queue" });
  const texts = await say(user, 10);
  const taken = [0, 0, 0];
  let open = 0;
  for (const process of taken.keys()) {
    work(t, client, async (turn, waking) => {
      open += 1;
      taken[process] = (taken[process] ?? 0) + 1;
      assert.equal(open, 1, "one after the other");
      await echo(turn, waking);
      open -= 1;
    });
  }
  const turns = await ends(session, 10);
  assert.equal(turns.length, 10);
  assert.ok(turns.every(({ status, attempt }) => status === "complete" && attempt === 1));
  assert.equal(new Set(turns.map(({ input }) => input)).size, 10);
  assert.equal(
    taken.reduce((sum, count) => sum + count),
    10,
    taken.join(),
  );
  const answers = (await contents(fixture.server, session)).slice(-10).map(([, data]) => data);
  assert.deepEqual(
    answers,
    texts.map((text) => `You said: ${text}`),
  );
});

test("P15.3 several inputs at once where they may be parallel, as many as it takes", async (t) => {
  const client = bot();
  const all = await Promise.all([agentOf(t, client), agentOf(t, client)]);
  for (const { user } of all) await say(user, 4);
  let [open, most] = [0, 0];
  const answerer: Answerer = async (turn, waking) => {
    open += 1;
    most = Math.max(most, open);
    await until(
      () => most,
      (count) => count >= 3,
      "three at once",
    );
    await echo(turn, waking);
    open -= 1;
  };
  work(t, client, answerer, { concurrency: 3 });
  for (const { session } of all) assert.equal((await ends(session, 4)).length, 4);
  assert.equal(most, 3);
});

test("P15.3 a process dies in mid-turn: another makes attempt 2, and one answer", async (t) => {
  const client = bot();
  const { session, user } = await agentOf(t, client);
  await user.publish("hello");
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  const over = new AbortController();
  const dying: Answerer = async (turn) => {
    const half = turn.write();
    half.append("You sa");
    await new Promise((done) => turn.signal.addEventListener("abort", done));
  };
  const token = () => makeToken({ sub: client, caps: { "*": ["agent"] } });
  const inbox = createInbox({ url: wire.url, token, timing: QUICK });
  const { signal } = over;
  const working = workOn(inbox, dying, { leaseMs: 1_000, onError: () => {}, signal });
  const half = async () => (await contents(fixture.server, session)).at(-1)?.[1];
  await until(half, (said) => said === "You sa", "half an answer");
  wire.unplug();
  work(t, client);
  const [turn, ...more] = await ends(session, 1);
  assert.deepEqual([turn?.status, turn?.attempt, more.length], ["complete", 2, 0]);
  assert.deepEqual(await contents(fixture.server, session), [
    ["message", "hello"],
    ["message", "You said: hello"],
  ]);
  // Back from the dead, it learns that another process leads, and leaves.
  wire.plug();
  over.abort();
  await within(working, "the first process to leave");
});

test("P15.3 work outlives a killed server, and ends when it is told to", async (t) => {
  const client = bot();
  const { session, user } = await agentOf(t, client);
  const { working, stop } = work(t, client, echo, { onError: () => {} });
  await user.publish("one");
  await ends(session, 1);
  await fixture.server.kill9();
  await fixture.server.start();
  const again = await connect(fixture.server, session, USER);
  await again.publish("two");
  await ends(session, 2);
  stop.abort();
  await within(working, "the work to end");
  await again.publish("three");
  await again.close();
  const { turns } = await getTurns(fixture.server, session, "?status=all");
  assert.equal(turns.length, 2);
});

test("P6.9 a wish for another answer is work that is done once it has one", async (t) => {
  const client = bot();
  const { session, user } = await agentOf(t, client);
  const { inbox } = work(t, client);
  const input = await user.publish("hello");
  await ends(session, 1);
  const wish = await user.publish("", { name: "regenerate", parent: input });
  const turns = await ends(session, 2);
  assert.deepEqual(
    turns.map((turn) => turn.input),
    [input, input],
  );
  const none = () => inbox.getSnapshot().work.every((it) => it.input !== wish);
  await until(none, (is) => is, "the wish to be no work any more");
});

test("work in an inbox that cannot be opened is refused, by name", async () => {
  const token = () => makeToken({ sub: "bot", caps: {} });
  const inbox = createInbox({ url: fixture.server.url, token, timing: QUICK });
  await assert.rejects(within(workOn(inbox, echo), "a refusal"), { code: "forbidden" });
});
