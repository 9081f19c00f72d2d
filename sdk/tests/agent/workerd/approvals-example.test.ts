// examples/approvals: the agent on the SDK and the one in Python do the same.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join as path } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { ROOT } from "../../../../tests/support/server.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { type Approval, approvalsOf, type Session } from "../../../src/index.ts";
import { open, shows } from "../../support.ts";

const fixture = useServer();
const FOLDER = path(ROOT, "examples", "approvals");
const FREE = ["2026-12-04", "2026-12-11"];

before(async () => {
  const build = spawn(process.execPath, [path(ROOT, "scripts", "sdk.mjs"), "build"]);
  await within(new Promise((done) => build.once("exit", done)), "the build of the SDK", 120_000);
});

const AGENTS = [
  {
    name: "the agent on the SDK",
    command: [process.execPath, "agent/agent.ts"],
    day: "Friday 4 December",
    skip: false,
  },
  {
    name: "the agent in Python",
    command: ["python3", "agent.py"],
    day: "2026-12-04",
    skip: spawnSync("python3", ["--version"]).error !== undefined && "there is no python3",
  },
];

for (const { name, command, day, skip } of AGENTS) {
  describe(name, { skip }, () => {
    const run = async (t: TestContext, session: string): Promise<ChildProcess> => {
      const { url } = fixture.server;
      const isPython = command[0] === "python3";
      const where = isPython ? `${url}/v1/sessions/${session}` : session;
      const TOKEN = await makeToken({ sub: "seller", caps: { "*": ["agent"] } });
      const [program = "", ...args] = command;
      const child = spawn(program, args, {
        cwd: FOLDER,
        env: { ...process.env, URL: url, SESSION: where, TOKEN },
        stdio: ["ignore", "pipe", "inherit"],
      });
      t.after(() => child.kill("SIGKILL"));
      let said = "";
      const joined = new Promise<void>((done) => {
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          if (said.includes("connected")) done();
        });
      });
      // To the one on the SDK, what was said before it came is history.
      if (!isPython) await within(joined, "the agent to join");
      return child;
    };
    /** Kills an agent as a crash would. */
    const kill9 = async (child: ChildProcess) => {
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await within(gone, "the agent to die");
    };
    /** A customer whose device has said when she is free; the agent, and the question she has. */
    const ask = async (t: TestContext) => {
      const session = fixture.session();
      const child = await run(t, session);
      const ada = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
      const boss = await open(t, fixture.server, session, {
        ...{ sub: "boss", caps: { "*": ["supervisor"] } },
      });
      runsTools(ada);
      await ada.send("Two tickets, please");
      await shows(ada, ({ turns }) => turns.length > 0, "the agent to begin");
      const { id = "" } = ada.turns[0] ?? {};
      return { session, child, ada, boss, turn: id, question: await next(ada, id) };
    };

    test("looks up, asks a user and a supervisor, and buys, though killed twice", async (t) => {
      const { session, child, ada, boss, turn, question } = await ask(t);
      assert.deepEqual(
        question.options?.map(({ id }) => id),
        FREE,
      );
      await kill9(child);
      await approvalsOf(ada).decide(question.id, "answer", { option: FREE[0] ?? "" });
      const second = await run(t, session);
      const order = await next(boss, turn);
      assert.deepEqual(order.data, { evening: FREE[0], seats: 2, price: 90 });
      await assert.rejects(approvalsOf(ada).decide(order.id, "approve"), { code: "forbidden" });
      const edited = { evening: FREE[0], seats: 9, price: 45 };
      const tooMany = approvalsOf(boss).decide(order.id, "approve", { data: edited });
      await assert.rejects(tooMany, { code: "invalid-answer" });
      await kill9(second);
      await run(t, session);
      await approvalsOf(boss).decide(order.id, "approve", { data: { ...edited, seats: 1 } });
      await ends(ada, turn, `Bought for ${day}: 1 at 45 €, order ${order.id.slice(-6)}.`);
    });

    test("hears a no, and says why; where two of it run, once", async (t) => {
      const { session, ada, boss, turn, question } = await ask(t);
      await run(t, session);
      await approvalsOf(ada).decide(question.id, "answer", { option: FREE[0] ?? "" });
      const order = await next(boss, turn);
      await approvalsOf(boss).decide(order.id, "reject", { comment: "too dear" });
      await ends(ada, turn, "No tickets: too dear");
      const said = ada.messages.filter((message) => message.turn === turn);
      assert.equal(said.length, 1);
    });

    test("P8.7 is answered in words, which begin another turn", async (t) => {
      const { ada, turn, question } = await ask(t);
      const { serial } = await ada.send("No, wait");
      await ends(ada, turn, "Then another time.");
      await shows(ada, ({ turns }) => turns.some(({ input }) => input === serial), "its turn");
      assert.ok(!approvalsOf(ada).pending.some(({ id }) => id === question.id));
    });
  });
}

/** A page that has the tool. */
function runsTools(page: Session): void {
  const run = async (call: string) => {
    await page.link.request({ type: "tool.claim", call });
    await page.link.request({ type: "tool.result", call, output: { free: FREE } });
  };
  page.on("frame", (frame) => {
    if (frame.type !== "tool.call") return;
    assert.equal(frame.call.name, "free-evenings");
    // The turn may be over by then.
    run(frame.call.id).catch(() => {});
  });
}

/** The next question of a turn. */
async function next(page: Session, turn: string): Promise<Approval> {
  const find = () => approvalsOf(page).pending.find((it) => it.turn === turn);
  const found = await until(find, Boolean, "a question");
  assert.ok(found);
  return found;
}

async function ends(page: Session, turn: string, text: string): Promise<void> {
  const isOver = ({ id, status }: { id: string; status: string }) =>
    id === turn && status === "complete";
  await shows(page, ({ turns }) => turns.some(isOver), "the end of the turn");
  const said = page.messages.filter((message) => message.turn === turn);
  assert.deepEqual(said.at(-1)?.data, text);
}
