// The examples do what their README says.

import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { address } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Message } from "../support/frames.ts";
import { getHistory } from "../support/http.ts";
import { Reader } from "../support/reader.ts";
import { ROOT } from "../support/server.ts";
import { makeToken, SIGNING_KEY } from "../support/token.ts";
import { AGENT, getTurn, settings, USER } from "../support/turns.ts";
import { within } from "../support/wait.ts";

type Follow = (address: string, token: string, show: (messages: Message[]) => void) => WebSocket;

const fixture = useServer();
const QUICKSTART = join(ROOT, "examples", "quickstart");
const ANSWER = "Here is an answer, 🌊 word by word, as a model would give it.";

async function run(script: string, args: string[], env: Record<string, string>): Promise<string> {
  const options = { env: { ...process.env, ...env } };
  const ran = promisify(execFile)(process.execPath, [join(QUICKSTART, script), ...args], options);
  return (await within(ran, script)).stdout.trim();
}

test("quickstart: a page follows what an agent streams with nothing but fetch", async () => {
  const session = fixture.session();
  const SESSION = address(fixture.server, session);
  const key = { SESSILE_SIGNING_KEY: SIGNING_KEY };
  const [userToken, TOKEN] = await Promise.all([
    run("token.mjs", ["ada", session, "user"], key),
    run("token.mjs", ["scribe", session, "agent"], key),
  ]);
  const source = readFileSync(join(QUICKSTART, "reader.js"), "utf8");
  const follow = runInNewContext(`${source};follow`, { WebSocket, setTimeout }) as Follow;

  const shown: string[] = [];
  const whole = new Promise<Message>((resolve) => {
    const socket = follow(SESSION, userToken, (messages) => {
      const newest = messages.at(-1);
      if (typeof newest?.data !== "string") return;
      if (shown.at(-1) !== newest.data) shown.push(newest.data);
      if (newest.status !== "complete") return;
      resolve(newest);
      socket.onclose = null;
      socket.close();
    });
  });
  const said = await run("agent.mjs", [], { SESSION, TOKEN });
  const message = await within(whole, "the whole answer");
  assert.equal(message.data, ANSWER);
  assert.equal(message.client, "scribe");
  assert.equal(said, `message ${message.serial} is complete`);
  assert.ok(shown.length > 2, `the answer grew before it was whole: ${JSON.stringify(shown)}`);
});

/** An agent in its own process group: it may have started others, such as curl. */
async function runAgent(t: TestContext, session: string, command: string[], env = {}) {
  const [program = "", ...args] = command;
  const SESSION = address(fixture.server, session);
  const TOKEN = await makeToken(AGENT);
  const child = spawn(program, args, {
    cwd: join(ROOT, "examples"),
    detached: true,
    // Its left-over files are removed with the server's.
    env: { ...process.env, TMPDIR: fixture.server.dir, SESSION, TOKEN, ...env },
    stdio: ["ignore", "ignore", process.env.SESSILE_VERBOSE === undefined ? "ignore" : "inherit"],
  });
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const kill9 = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, "SIGKILL");
    }
    await within(gone, `${program} to die`);
  };
  t.after(kill9);
  return kill9;
}

const AGENTS = [
  {
    name: "agent-python",
    command: ["python3", "agent-python/agent.py"],
    env: { LEASE_MS: "2000" },
  },
  { name: "agent-curl", command: ["sh", "agent-curl/agent.sh"], env: { LEASE_S: "3" } },
];
const NEEDS = { "agent-python": ["python3"], "agent-curl": ["curl", "jq"] };
const LONG = Array.from({ length: 500 }, (_, i) => `word${i}`).join(" ");

function missing(name: string): string | false {
  const tools = NEEDS[name as keyof typeof NEEDS];
  const lacking = tools.filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
  return lacking.length > 0 && `there is no ${lacking.join(", ")}`;
}

test("the README's agent answers with nothing but curl", {
  skip: missing("agent-curl"),
}, async () => {
  const session = fixture.session();
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, script = ""] = /```sh\n(SESSION=.*?)```/s.exec(readme) ?? [];
  const place = /https:\/\/HOST\S+/;
  assert.match(script, place);
  const model = join(fixture.server.dir, "my-model");
  writeFileSync(model, '#!/bin/sh\necho "You asked: $1"\n', { mode: 0o755 });
  const env = {
    ...process.env,
    PATH: `${fixture.server.dir}:${process.env.PATH}`,
    TOKEN: await makeToken(AGENT),
  };
  const lines = `set -e\n${script.replace(place, address(fixture.server, session))}`;
  await within(promisify(execFile)("sh", ["-c", lines], { env }), "the script");
  const [said] = await getHistory(fixture.server, session);
  const { data, turn, status } = said ?? {};
  assert.deepEqual([data, turn, status], ["You asked: What is a tide?\n", "tide", "complete"]);
  assert.equal((await getTurn(fixture.server, session, "tide")).status, "complete");
});

for (const { name, command, env } of AGENTS) {
  describe(name, { skip: missing(name) }, () => {
    /** A session with an agent in it, where somebody has asked something. */
    const ask = async (t: TestContext, question: string) => {
      const session = fixture.session(name);
      // So long that only the agent itself can have ended a turn that was cancelled.
      await settings(fixture.server, session, { cancelGraceMs: 600_000 });
      const kill9 = await runAgent(t, session, command, env);
      const ada = new Reader(fixture.server, session, { ...USER, query: { rollup: 0 } });
      await ada.attach();
      ada.client?.send({ type: "publish", messages: [{ data: question }] });
      const answer = () =>
        [...ada.fold.messages.values()].find((message) => message.name === "answer");
      const turn = () => ada.fold.turns.values().next().value;
      const says = (length: number) =>
        ada.holds(() => String(answer()?.data ?? "").length >= length, "some of the answer");
      const ends = (status: string) =>
        ada.holds(({ turns }) => turns.get(turn()?.id ?? "")?.status === status, `it is ${status}`);
      return { session, kill9, ada, answer, turn, says, ends };
    };

    test("answers once, also where two of it run", async (t) => {
      const { session, ada, answer, turn, ends } = await ask(t, "hello out\nthere");
      await runAgent(t, session, command, env);
      await ends("complete");
      ada.client?.send({ type: "publish", messages: [{ data: "and again" }] });
      await ada.holds(({ counts }) => counts["turn.end"] === 2, "the second answer");
      assert.equal(ada.fold.counts["turn.start"], 2);
      const { data, role, status, turn: id, client } = answer() ?? {};
      assert.match(String(data), /^You said: hello out(\\n|\s)there $/);
      assert.deepEqual([role, status, client], ["assistant", "complete", AGENT.sub]);
      assert.equal(id, turn()?.id);
      ada.fold.assertSound();
    });

    test("P6.9 knows what leads to an input, and nothing of the branch beside it", async (t) => {
      const { session, ada, ends } = await ask(t, "first");
      await ends("complete");
      const send = (fields: Record<string, unknown>) =>
        ada.client?.send({ type: "publish", messages: [fields] });
      const [first] = await getHistory(fixture.server, session);
      send({ data: "second" });
      await ada.holds(({ counts }) => counts["turn.end"] === 2, "the second answer");
      const answered = (await getHistory(fixture.server, session)).at(1)?.serial;
      assert.ok(first && answered);
      send({ data: "please recall now", parent: answered });
      await ada.holds(({ counts }) => counts["turn.end"] === 3, "the answer to the edit");
      const said = (await getHistory(fixture.server, session)).at(-1)?.data;
      assert.match(String(said), /^You said: please first \/ You said: first +\/ recall now $/);
    });

    test("is cancelled in the middle: what it said stays", async (t) => {
      const { ada, answer, turn, says, ends } = await ask(t, LONG);
      await says(60);
      assert.equal(turn()?.status, "active");
      ada.client?.send({ type: "cancel", turn: turn()?.id ?? "" });
      await ends("cancelled");
      const { data, status } = answer() ?? {};
      assert.equal(status, "cancelled");
      assert.ok(`You said: ${LONG} `.startsWith(String(data)) && String(data).length < LONG.length);
      assert.ok(turn()?.cancel, "and it is known who asked");
      ada.fold.assertSound();
    });

    test("takes an instruction", async (t) => {
      const { ada, answer, turn, says, ends } = await ask(t, LONG);
      await says(20);
      ada.client?.send({ type: "steer", turn: turn()?.id ?? "", data: "more slowly" });
      await ada.holds(
        ({ messages }) => [...messages.values()].some(({ headers }) => headers?.steer === "taken"),
        "the instruction to be taken",
      );
      await ada.holds(() => String(answer()?.data).includes("[more slowly] "), "what it changed");
      ada.client?.send({ type: "cancel", all: true });
      await ends("cancelled");
      ada.fold.assertSound();
    });

    test("thinks for longer than its lease, and is not taken for dead", async (t) => {
      const { answer, ends } = await ask(t, "well hmm yes");
      await ends("complete");
      assert.equal(answer()?.data, "You said: well hmm yes ");
    });

    test("fails, and says so", async (t) => {
      const { ada, answer, turn, ends } = await ask(t, "better fail now");
      await ends("failed");
      assert.equal(turn()?.reason, undefined, "it was not lost, it ended the turn itself");
      await ada.holds(() => answer()?.status === "failed", "a failed message");
      // The body of a request that breaks off may lack its last word.
      const whole = name === "agent-python" ? /^You said: (better )?$/ : /^You said: better $/;
      assert.match(String(answer()?.data), whole);
    });

    test("is killed: its turn fails when the lease runs out", async (t) => {
      const { kill9, ada, answer, turn, says, ends } = await ask(t, LONG);
      await says(60);
      await kill9();
      await ends("failed");
      assert.equal(turn()?.reason, "agent-lost");
      assert.equal(answer()?.status, "failed");
      ada.fold.assertSound();
    });
  });
}
