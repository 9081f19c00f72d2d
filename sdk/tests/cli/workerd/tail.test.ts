// `tail` against a real Worker: over cuts of the network, evenly, and as a process.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { call } from "../../../../tests/support/http.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { agent, answer, end, start } from "../../../../tests/support/turns.ts";
import { within } from "../../../../tests/support/wait.ts";
import { sessile } from "../io.ts";

const fixture = useServer();
const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");

async function environment(sub = "ann", url = fixture.server.url) {
  const SESSILE_TOKEN = await makeToken({ sub, caps: { "*": ["user"] } });
  return { SESSILE_URL: url, SESSILE_TOKEN };
}

/** A tail in this process, and waiting for what it has printed. */
async function follow(t: TestContext, args: readonly string[], url?: string, isTty = false) {
  const ending = new AbortController();
  const states: string[] = [];
  let look = (_all: string) => {};
  const ran = sessile(["tail", ...args], {
    env: await environment("tom", url),
    signal: ending.signal,
    isTty,
    onOut: (all) => {
      states.push(all);
      look(all);
    },
  });
  t.after(() => ending.abort());
  return {
    states,
    printed: (text: string) =>
      within(
        new Promise<void>((done) => {
          look = (all) => all.includes(text) && done();
          look(states.at(-1) ?? "");
        }),
        `${text} to be printed`,
      ),
    end: () => {
      ending.abort();
      return within(ran, "tail to end");
    },
  };
}

/** The program as a process of its own, with pipes. */
function spawned(t: TestContext, args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  t.after(() => child.kill("SIGKILL"));
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  return { child, out: () => out };
}

async function codeOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null) await within(once(child, "exit"), "the process to end");
  return child.exitCode;
}

test("tail --no-follow prints what there is, the newest messages, and ends", async () => {
  const session = fixture.session();
  const env = await environment();
  for (const text of ["one", "two", "three"]) await sessile(["send", session, text], { env });
  const { code, out } = await sessile(["tail", session, "--no-follow", "-n", "2"], { env });
  assert.deepEqual([code, out], [0, "ann: two\nann: three\n"]);
  const json = await sessile(["tail", session, "--no-follow", "--json"], { env });
  const frames = json.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    frames.map(({ type }) => type),
    ["attached", ...Array(3).fill("message.create"), "caught-up"],
  );
});

test("tail prints an answer as it grows, its turn, and what asks a person", async (t) => {
  const session = fixture.session();
  const bot = await agent(fixture.server, session);
  const tail = await follow(t, [session, "--window", "0"]);
  await bot.publish("ready");
  await tail.printed("scribe: ready\n");
  const { id } = await start(bot);
  await tail.printed(`turn ${id} of scribe began`);
  const serial = await answer(bot, id);
  await bot.appendAll(serial, ["The ", "sea"]);
  await tail.printed("scribe: The sea");
  const title = "Swim?";
  await bot.ok({ type: "approval.request", id: "a1", turn: id, title });
  await tail.printed("approval a1 waits: Swim?");
  await bot.appendAll(serial, [" is cold"]);
  await end(bot, id);
  await tail.printed("is complete");
  const { code, out } = await tail.end();
  assert.equal(code, 0);
  assert.ok(tail.states.length > 4, "it was printed in pieces");
  assert.equal(
    out,
    `scribe: ready\n· turn ${id} of scribe began\nscribe: The sea\n· approval a1 waits: Swim?\n` +
      `· turn ${id} is suspended: approval\nscribe (continued):  is cold\n` +
      `· approval a1 is withdrawn\n· turn ${id} is complete\n`,
  );
  await bot.close();
});

test("tail goes on after a cut, and prints nothing twice and nothing less", async (t) => {
  const session = fixture.cutSession();
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  const bot = await agent(fixture.server, session);
  const tail = await follow(t, [session, "-q", "--window", "0"], wire.url);
  const { id } = await start(bot);
  const serial = await answer(bot, id);
  const words = Array.from({ length: 30 }, (_, index) => `w${index} `);
  for (const [index, word] of words.entries()) {
    await bot.appendAll(serial, [word], index + 1);
    if (index % 10 === 5) {
      await tail.printed(word);
      wire.unplug();
    }
    if (index % 10 === 8) wire.plug();
  }
  await end(bot, id);
  await tail.printed("w29 \n");
  const { code, out, err } = await tail.end();
  assert.deepEqual([code, out, err], [0, `scribe: ${words.join("")}\n`, ""]);
  await bot.close();
});

test("on a terminal a burst is printed in many pieces", async (t) => {
  const session = fixture.session();
  const bot = await agent(fixture.server, session);
  const tail = await follow(t, [session, "-q"], undefined, true);
  const { id } = await start(bot);
  const serial = await answer(bot, id);
  await bot.appendAll(serial, ["begun"]);
  await tail.printed("begun");
  const before = tail.states.length;
  await bot.appendAll(serial, ["x".repeat(400)]);
  await tail.printed("x".repeat(400));
  assert.ok(tail.states.length - before >= 4, `${tail.states.length - before} pieces`);
  const { out } = await tail.end();
  assert.ok(out.startsWith("\x1b[1mscribe\x1b[22m: begun"), out.slice(0, 40));
  await bot.close();
});

test("a session that is deleted ends tail with 1, and it says so", async () => {
  const session = fixture.session();
  const env = await environment();
  await sessile(["send", session, "Hi"], { env });
  const deleted = sessile(["tail", session], {
    env,
    onOut: () => void call(fixture.server, session, "DELETE", ""),
  });
  const { code, out, err } = await within(deleted, "tail to end");
  assert.deepEqual([code, out], [1, "ann: Hi\n"]);
  assert.match(err, /deleted|gone/);
});

test("a token that may not read is told at once", async () => {
  const env = {
    SESSILE_URL: fixture.server.url,
    SESSILE_TOKEN: await makeToken({ caps: { other: ["user"] } }),
  };
  const { code, err } = await sessile(["tail", fixture.session()], { env });
  assert.equal(code, 4);
  assert.match(err, /no operation for session/);
});

test("as a process: pipes in and out, no colour, and Ctrl-C ends tail with 0", async (t) => {
  const session = fixture.session();
  const env = await environment();
  const send = spawned(t, ["send", session, "-"], env);
  send.child.stdin.end("from a pipe\n");
  assert.equal(await codeOf(send.child), 0);
  const tail = spawned(t, ["tail", session], env);
  await within(once(tail.child.stdout, "data"), "the first message");
  tail.child.kill("SIGINT");
  assert.equal(await codeOf(tail.child), 0);
  assert.equal(tail.out(), "ann: from a pipe\n");
});

test("as a process: a reader that has enough ends it, and a signal ends waiting", async (t) => {
  const session = fixture.session();
  const env = await environment();
  await sessile(["send", session, "Hi"], { env });
  const tail = spawned(t, ["tail", session], env);
  await within(once(tail.child.stdout, "data"), "the first message");
  tail.child.stdout.destroy();
  await sessile(["send", session, "Nobody reads this"], { env });
  assert.equal(await codeOf(tail.child), 0);
  const send = spawned(t, ["send", session, "-"], env);
  // More than a pipe holds: it is taken once the program reads.
  const taken = new Promise<unknown>((done) => send.child.stdin.write("x".repeat(4 << 20), done));
  await within(taken, "the program to read");
  send.child.kill("SIGINT");
  assert.equal(await codeOf(send.child), 130);
});
