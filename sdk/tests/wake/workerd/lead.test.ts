// Wakings and a real session: however often and wherever one arrives, one process answers, once.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { agent, cancel, getTurns, settings, start, USER } from "../../../../tests/support/turns.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { conversation } from "../../../src/agent/index.ts";
import {
  type Answerer,
  queueConsumer,
  serveWebhook,
  type Waking,
} from "../../../src/wake/index.ts";
import { contents } from "../../agent/workerd/agent.ts";
import { QUICK } from "../../support.ts";
import { SECRET, signed } from "../signed.ts";

const fixture = useServer();
const BOT = { sub: "bot", caps: { "*": ["agent"] } };

/** The options of a process of the agent. */
function options(onError = (error: unknown): void => assert.fail(String(error))) {
  return {
    url: fixture.server.url,
    secret: SECRET,
    token: () => makeToken(BOT),
    timing: QUICK,
    onError,
  };
}

/** Answers with what leads to the input. */
const echo: Answerer = async (turn, { input = "" }) => {
  const said = await conversation(turn.host, input);
  await turn.message(`You said: ${said.map(({ data }) => data).join(", ")}`);
};

/** A session in which somebody has said something, and the waking for it. */
async function asked(t: TestContext, text = "hello") {
  const session = fixture.session("wake");
  const user = await connect(fixture.server, session, USER);
  t.after(() => user.close());
  const input = await user.publish(text);
  const waking: Waking = { id: `w-${input}`, session, input, at: Date.now() };
  return { session, user, waking };
}

const turnsOf = async (session: string) =>
  (await getTurns(fixture.server, session, "?status=all")).turns;

const over = (session: string, count = 1) =>
  until(
    async () => (await turnsOf(session)).filter((it) => it.endedAt),
    (ended) => ended.length >= count,
    `${count} turns to end`,
  );

test("P10.3 a call is answered once the turn has begun, and the work goes on", async (t) => {
  const { session, waking } = await asked(t);
  let finish = () => {};
  const finished = new Promise<void>((done) => {
    finish = done;
  });
  const kept: Promise<unknown>[] = [];
  const serve = serveWebhook(async (turn, it) => {
    assert.deepEqual(it, waking);
    await finished;
    await echo(turn, it);
  }, options());
  const context = { waitUntil: (promise: Promise<unknown>) => void kept.push(promise) };
  const response = await within(serve(signed(waking), undefined, context), "an answer");
  assert.equal(response.status, 202);
  const [turn] = await turnsOf(session);
  assert.deepEqual([turn?.status, turn?.input, turn?.agent], ["active", waking.input, "bot"]);
  finish();
  await within(Promise.all(kept), "the work that the platform waits for");
  assert.equal(kept.length, 1);
  assert.deepEqual(await contents(fixture.server, session), [
    ["message", "hello"],
    ["message", "You said: hello"],
  ]);
});

test("P6.2 two deliveries of an input, and more, end with one turn", async (t) => {
  const { session, waking } = await asked(t);
  let answers = 0;
  const count: Answerer = (turn, it) => {
    answers += 1;
    return echo(turn, it);
  };
  let tokens = 0;
  const token = () => {
    tokens += 1;
    return makeToken(BOT);
  };
  // Two processes: neither knows what the other has heard.
  const made = () => serveWebhook(count, { ...options(), token });
  const processes = [made(), made()];
  const calls = [0, 1, 0, 1].map((it) => processes[it]?.(signed(waking)));
  const statuses = (await Promise.all(calls)).map((response) => response?.status);
  assert.equal(statuses.filter((status) => status === 202).length, 1, statuses.join());
  assert.ok(statuses.every((status) => status === 202 || status === 200));
  await over(session);
  const before = tokens;
  assert.equal((await processes[0]?.(signed(waking)))?.status, 200, "long after");
  assert.equal(tokens, before, "the session is not even asked");
  const third = serveWebhook(count, options());
  assert.equal((await third(signed(waking)))?.status, 200, "in a process that is new");
  assert.equal((await turnsOf(session)).length, 1);
  assert.equal(answers, 1);
});

test("a call that is held is answered when the work is done", async (t) => {
  const { session, waking } = await asked(t);
  const serve = serveWebhook(echo, { ...options(), hold: true });
  assert.equal((await serve(signed(waking))).status, 200);
  const [turn] = await turnsOf(session);
  assert.equal(turn?.status, "complete");
});

test("P6.5 an input that was cancelled before is not worked on", async (t) => {
  const { session, user, waking } = await asked(t);
  await cancel(user, { input: waking.input });
  const serve = serveWebhook(() => assert.fail("nobody wants it"), { ...options(), hold: true });
  assert.equal((await serve(signed(waking))).status, 200);
  const [turn] = await turnsOf(session);
  assert.equal(turn?.status, "cancelled");
});

test("work that fails fails its turn, is reported, and is not called for again", async (t) => {
  const { session, waking } = await asked(t);
  const errors: unknown[] = [];
  const failing: Answerer = () => {
    throw new Error("no model today");
  };
  const reported = options((error) => void errors.push(String(error)));
  const serve = serveWebhook(failing, { ...reported, hold: true });
  assert.equal((await serve(signed(waking))).status, 200);
  const [turn] = await turnsOf(session);
  assert.deepEqual([turn?.status, turn?.error], ["failed", { message: "no model today" }]);
  assert.deepEqual(errors, ["Error: no model today"]);
});

test("P6.8 an agent is killed in mid-turn: the next attempt gives the one answer", async (t) => {
  const { session, user, waking } = await asked(t);
  await settings(fixture.server, session, { agent: { inbox: "bot" } });
  const dying = await agent(fixture.server, session, BOT);
  const turn = await start(dying, { input: waking.input, leaseMs: 1_000 });
  const half = { turn: turn.id, attempt: 1, id: `${turn.id}/1`, role: "assistant" };
  await dying.publish("You sa", { ...half, status: "streaming" });
  await dying.close();
  const queued = await user.next(({ type }) => type === "turn.queue", "the turn to be queued");
  const { attempt } = queued.turn ?? {};
  assert.equal(attempt, 2);
  const again = { ...waking, turn: turn.id, attempt };
  const serve = serveWebhook(echo, { ...options(), hold: true });
  assert.equal((await serve(signed(again))).status, 200);
  assert.deepEqual(await contents(fixture.server, session), [
    ["message", "hello"],
    ["message", "You said: hello"],
  ]);
  const [ended] = await turnsOf(session);
  assert.deepEqual([ended?.id, ended?.status], [turn.id, "complete"]);
  // On a busy machine the second one may be beyond its lease, too.
  assert.ok((ended?.attempt ?? 0) >= 2, `attempt ${ended?.attempt}`);
});

test("P6.9 a wish for another answer gets one, to the input that it names, and once", async (t) => {
  const { session, user, waking } = await asked(t);
  const serve = serveWebhook(echo, { ...options(), hold: true });
  assert.equal((await serve(signed(waking))).status, 200);
  const wish = await user.publish("", { name: "regenerate", parent: waking.input });
  const again = { ...waking, id: "w-again", input: wish };
  assert.equal((await serve(signed(again))).status, 200);
  const other = serveWebhook(echo, { ...options(), hold: true });
  assert.equal((await other(signed(again))).status, 200);
  const turns = await turnsOf(session);
  assert.deepEqual(
    turns.map(({ input, status }) => [input, status]),
    [
      [waking.input, "complete"],
      [waking.input, "complete"],
    ],
  );
  const answers = (await contents(fixture.server, session)).filter(([name]) => name === "message");
  assert.deepEqual(
    answers.map(([, data]) => data),
    ["hello", "You said: hello", "You said: hello"],
  );
});

test("P10.3 the token of a waking opens its session", async (t) => {
  const { session, waking } = await asked(t);
  const caps = { [session]: ["agent"] };
  const { token: _, ...rest } = options();
  const serve = serveWebhook(echo, { ...rest, hold: true });
  const own = { ...waking, token: await makeToken({ ...BOT, caps }) };
  assert.equal((await serve(signed(own))).status, 200);
  assert.equal((await contents(fixture.server, session)).length, 2);
  const errors: unknown[] = [];
  const tokenless = serveWebhook(echo, { ...rest, onError: (error) => void errors.push(error) });
  assert.equal((await tokenless(signed(waking))).status, 503);
  assert.match(String(errors[0]), /agent\.token/);
});

test("a consumer takes each message off its queue, or has it delivered again", async (t) => {
  const first = await asked(t, "one");
  const second = await asked(t, "two");
  const settled: string[] = [];
  const message = (name: string, body: unknown) => ({
    body,
    attempts: 3,
    ack: () => void settled.push(`${name} acked`),
    retry: ({ delaySeconds }: { delaySeconds?: number } = {}) =>
      void settled.push(`${name} again after ${delaySeconds}`),
  });
  const errors: string[] = [];
  const consume = queueConsumer(echo, ({ url }: { url: string }) => ({
    ...options((error) => void errors.push(String(error))),
    url,
    token: ({ session }) => {
      if (session === "away") throw new Error("no key");
      return makeToken(BOT);
    },
  }));
  const messages = [
    message("one", first.waking),
    message("two", second.waking),
    message("two again", second.waking),
    message("garbage", "hello"),
    message("away", { ...first.waking, session: "away" }),
  ];
  const { url } = fixture.server;
  await within(consume({ messages }, { url }), "a batch");
  assert.deepEqual(settled.sort(), [
    "away again after 8",
    "garbage acked",
    "one acked",
    "two acked",
    "two again acked",
  ]);
  assert.equal(errors.length, 2, errors.join("\n"));
  for (const [{ session }, text] of [
    [first, "one"],
    [second, "two"],
  ] as const) {
    assert.equal((await contents(fixture.server, session)).at(-1)?.[1], `You said: ${text}`);
  }
});
