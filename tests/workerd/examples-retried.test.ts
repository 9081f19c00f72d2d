// Examples that are killed and run again: whenever that happens, nobody sees a word twice.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../examples/activity/engine.ts";
import { address, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call, getHistory } from "../support/http.ts";
import { python } from "../support/python.ts";
import { Random } from "../support/random.ts";
import { Reader } from "../support/reader.ts";
import { ROOT } from "../support/server.ts";
import { makeToken } from "../support/token.ts";
import { AGENT, cancel, getTurn, USER } from "../support/turns.ts";
import { until, within } from "../support/wait.ts";

const fixture = useServer();
const ID = "activity-4711";
const QUESTION = "What is a tide?";
const WHOLE = [
  "You asked:",
  ...QUESTION.split(" "),
  ...Array.from({ length: 60 }, (_, at) => `${at + 1} 🌊 ${"~".repeat(at % 7)}`),
]
  .map((word) => `${word} `)
  .join("");

/** A page that is open all the time, and the agent's way to the session. */
async function begin() {
  const session = fixture.session("retried");
  const page = new Reader(fixture.server, session, { ...USER, query: { rollup: 0 } });
  await page.attach();
  const SESSION = address(fixture.server, session);
  const env = { ...process.env, SESSION, TOKEN: await makeToken(AGENT), PACE_MS: "5" };
  const text = () => String(page.fold.newest?.data ?? "");
  return { session, page, env, text };
}

type Begun = Awaited<ReturnType<typeof begin>>;

/** One answer, whole, which only grew, and which every other way of reading has as well. */
async function isWhole({ session, page }: Begun): Promise<void> {
  await page.holdsTurn(ID, "complete");
  page.fold.assertSound();
  assert.equal(page.fold.messages.size, 1);
  const { data, status, turn } = page.fold.newest ?? {};
  assert.deepEqual([data, status, turn], [WHOLE, "complete", ID]);
  const { counts } = page.fold;
  assert.deepEqual([counts["message.create"], counts["message.delete"]], [1, undefined]);
  const [stored, ...others] = await getHistory(fixture.server, session);
  assert.deepEqual([stored?.data, others.length], [WHOLE, 0]);
}

describe("the example of an activity", () => {
  test("killed at random, it says everything once", async (t: TestContext) => {
    const random = new Random();
    t.diagnostic(`SESSILE_SEED=${random.seed}`);
    const begun = await begin();
    const { page, env, text } = begun;
    /** Where each attempt is killed: while it starts, or once the page has so much of the text. */
    const kill = async (child: ChildProcess, attempt: number) => {
      if (random.below(3) === 0) {
        await sleep(random.below(300));
      } else {
        const length = text().length + random.below(WHOLE.length / 6);
        const isOver = new Promise((done) => child.once("exit", done));
        await Promise.race([isOver, page.holds(() => text().length >= length, `kill ${attempt}`)]);
      }
      child.kill("SIGKILL");
    };
    const kills = 8;
    const attempt = await run(
      {
        id: ID,
        question: QUESTION,
        heartbeatTimeoutMs: 20_000,
        maximumAttempts: kills + 1,
        onAttempt: (child, number) => {
          if (number <= kills) void kill(child, number);
        },
      },
      env,
    );
    t.diagnostic(`attempt ${attempt} brought it to its end`);
    await isWhole(begun);
    // As if the engine had not heard of that: there is nothing left to do.
    const again = { id: ID, question: QUESTION, heartbeatTimeoutMs: 20_000, maximumAttempts: 1 };
    assert.equal(await run(again, env), 1);
    await isWhole(begun);
  });

  test("an attempt that was given up and goes on says nothing more", async (t) => {
    const begun = await begin();
    const { page, env, text } = begun;
    let zombie: ChildProcess | undefined;
    t.after(() => zombie?.kill("SIGKILL"));
    const gone = Promise.withResolvers<number | null>();
    const onAttempt = (child: ChildProcess, number: number) => {
      if (number === 1) {
        zombie = child;
        child.once("exit", gone.resolve);
        void page.holds(() => text().length > 20, "some text").then(() => child.kill("SIGSTOP"));
      } else {
        void page
          .holds(() => text().length > WHOLE.length / 2, "half of it by the second attempt")
          .then(() => zombie?.kill("SIGCONT"));
      }
    };
    const activity = { id: ID, question: QUESTION, heartbeatTimeoutMs: 2_000, maximumAttempts: 3 };
    assert.equal(await run({ ...activity, onAttempt }, env), 2);
    assert.notEqual(await within(gone.promise, "the first attempt to fail"), 0);
    await isWhole(begun);
    assert.equal((await getTurn(fixture.server, begun.session, ID)).attempt, 2);
  });

  test("it hears a cancel, and is not run again", async () => {
    const { session, page, env, text } = await begin();
    const user = await connect(fixture.server, session, USER);
    const activity = { id: ID, question: QUESTION, heartbeatTimeoutMs: 9_000, maximumAttempts: 3 };
    const ran = run(activity, { ...env, PACE_MS: "50" });
    await page.holds(() => text().length > 20, "some text");
    await cancel(user, { turn: ID });
    assert.equal(await ran, 1);
    await page.holdsTurn(ID, "cancelled");
    page.fold.assertSound();
    assert.ok(WHOLE.startsWith(text()) && text().length < WHOLE.length);
    await user.close();
  });
});

describe("the LangGraph agent", () => {
  let program = "";
  before(async () => {
    program = await python();
  });
  const NODES = ["outline", "draft", "review"];
  const says = (name: string, model = "a script") =>
    `By ${model}, the ${name} for “${QUESTION}”: one, two, three, four, five, six, seven, 🌊. `;

  const start = (t: TestContext, { env }: Begun, more: Record<string, string> = {}) => {
    const child = spawn(program, [join(ROOT, "examples", "agent-langgraph", "agent.py")], {
      env: { ...env, PACE_MS: "15", ...more },
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const gone = new Promise<void>((done) => child.once("exit", () => done()));
    let log = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    const kill9 = async () => {
      child.kill("SIGKILL");
      await within(gone, "the agent to die");
    };
    return { kill9, runs: () => NODES.filter((name) => log.includes(`runs ${name}`)) };
  };

  const ask = async () => {
    const begun = await begin();
    const user = await connect(fixture.server, begun.session, USER);
    const progress: unknown[] = [];
    begun.page.onFrames = (frames) => {
      for (const frame of frames) {
        const { type, ops } = frame as { type: string; ops?: { op: string; value?: object }[] };
        if (type !== "state.change") continue;
        for (const { value } of ops ?? []) if (value) progress.push(value);
      }
    };
    const input = await user.publish(QUESTION);
    const message = (name: string) =>
      [...begun.page.fold.messages.values()].find((it) => it.name === name);
    const said = (name: string) => String(message(name)?.data ?? "");
    return { ...begun, user, progress, message, said, turn: `answer-${input}` };
  };

  /** The nodes have said this, each once, and no progress is left. */
  const isOver = async (asked: Awaited<ReturnType<typeof ask>>, texts: string[]) => {
    const { page, session, turn, message } = asked;
    await page.holdsTurn(turn, "complete");
    page.fold.assertSound();
    assert.deepEqual(
      NODES.map((name) => message(name)?.data),
      texts,
    );
    const history = await getHistory(fixture.server, session);
    assert.deepEqual(
      history.map(({ name, status }) => [name, status]),
      [["message", undefined], ...NODES.map((name) => [name, "complete"])],
    );
    assert.equal(page.fold.counts["message.delete"], undefined);
    await until(
      async () => (await call(fixture.server, session, "GET", "/state", USER)).body,
      (body) => Object.keys((body as { value: object }).value).length === 0,
      "no progress is left",
    );
    await asked.user.close();
  };

  test("killed in a node, it goes on there, and runs no node that was done", async (t) => {
    const asked = await ask();
    const { page, said, progress } = asked;
    const first = start(t, asked);
    await page.holds(() => said("outline").length > 9, "some of the first node");
    await first.kill9();
    const second = start(t, asked);
    await page.holds(() => said("draft").length > 9, "some of the second node");
    await second.kill9();
    const third = start(t, asked);
    await isOver(
      asked,
      NODES.map((name) => says(name)),
    );
    assert.equal(page.fold.counts["message.update"], undefined, "each text only grew");
    assert.deepEqual([first.runs(), third.runs()], [["outline"], ["draft", "review"]]);
    const steps = NODES.map((node, done) => ({ node, done, of: 3 }));
    const [outline, draft, review] = steps;
    assert.deepEqual(progress, [outline, outline, draft, draft, review]);
    assert.equal((await getTurn(fixture.server, asked.session, asked.turn)).attempt, 3);
  });

  test("a model that says something else the second time replaces what was begun", async (t) => {
    const asked = await ask();
    const first = start(t, asked);
    await asked.page.holds(() => asked.said("draft").length > 9, "some of the second node");
    await first.kill9();
    start(t, asked, { MODEL: "another model" });
    const by = (name: string) => says(name, "another model");
    await isOver(asked, [says("outline"), by("draft"), by("review")]);
  });

  test("it hears a cancel, and its nodes stop", async (t) => {
    const asked = await ask();
    start(t, asked, { PACE_MS: "100" });
    await asked.page.holds(() => asked.said("draft").length > 9, "some of the second node");
    await cancel(asked.user, { turn: asked.turn });
    await asked.page.holdsTurn(asked.turn, "cancelled");
    asked.page.fold.assertSound();
    const { data, status } = asked.message("draft") ?? {};
    assert.equal(status, "cancelled");
    assert.ok(says("draft").startsWith(String(data)) && String(data) !== says("draft"));
    assert.equal(asked.message("review"), undefined);
    await asked.user.close();
  });
});
