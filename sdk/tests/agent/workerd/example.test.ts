// examples/agent-ai-sdk as its README says: a process of its own with the built package.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join as path } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Client, connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { ROOT } from "../../../../tests/support/server.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { within } from "../../../../tests/support/wait.ts";
import type { Turn } from "../../../src/protocol/index.ts";
import { contents, getTurn } from "./agent.ts";

const fixture = useServer();
const children: ChildProcess[] = [];

before(async () => {
  const build = spawn(process.execPath, [path(ROOT, "scripts", "sdk.mjs"), "build"]);
  await within(new Promise((done) => build.once("exit", done)), "the build of the SDK", 120_000);
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** Starts the example, and resolves when it has joined. */
async function run(session: string, DELAY_MS = "1"): Promise<void> {
  const TOKEN = await makeToken({ sub: "agent", caps: { "*": ["agent"] } });
  const cwd = path(ROOT, "examples", "agent-ai-sdk");
  const env = { ...process.env, URL: fixture.server.url, SESSION: session, TOKEN, DELAY_MS };
  const child = spawn(process.execPath, ["agent.js"], { cwd, env });
  children.push(child);
  let said = "";
  const joined = new Promise<void>((done, fail) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
        if (/^connected$/m.test(said)) done();
      });
    }
    child.once("exit", (code) => fail(new Error(`the example ended with ${code}: ${said}`)));
  });
  await within(joined, "the example to join");
}

async function ended(user: Client): Promise<Turn> {
  const frame = await user.next("turn.end");
  return (frame as unknown as { turn: Turn }).turn;
}

describe("the example of an agent on the AI SDK", () => {
  test("answers each message once, however many of it run", async () => {
    const session = fixture.session();
    await Promise.all([run(session), run(session)]);
    const user = await connect(fixture.server, session, { sub: "alice", caps: { "*": ["user"] } });
    await user.publish("How is the weather?");
    assert.equal((await ended(user)).status, "complete");
    const told = "It is 7° in Oslo, 🌊 and not much else happens.";
    assert.deepEqual(await contents(fixture.server, session), [
      ["message", "How is the weather?"],
      ["response", { state: "finished", finishReason: "stop" }],
      ["step", { state: "finished" }],
      ["reasoning", "The weather is what people want to know."],
      ["tool-input", { city: "Oslo" }],
      ["tool-output", { city: "Oslo", degrees: 7 }],
      ["step", { state: "finished" }],
      ["message", `You said “How is the weather?”. ${told}`],
    ]);
    await user.close();
  });

  test("takes an instruction, and stops when it is cancelled", async () => {
    const session = fixture.session();
    await run(session, "40");
    const user = await connect(fixture.server, session, { sub: "alice", caps: { "*": ["user"] } });
    await user.publish("How is the weather?");
    const started = await user.next("turn.start");
    const { id } = (started as unknown as { turn: Turn }).turn;
    await user.ok({ type: "steer", turn: id, data: "and quickly" });
    const isAnswer = (data: unknown) => String(data ?? "").includes("then “and quickly”");
    let text = "";
    await user.next((frame) => {
      if (frame.message?.name === "message") text = String(frame.message.data);
      if (frame.type === "message.append") text += frame.data;
      return isAnswer(text);
    });
    await user.ok({ type: "cancel", turn: id });
    assert.equal((await ended(user)).status, "cancelled");
    const turn = await getTurn(fixture.server, session, id);
    assert.equal(turn.cancel?.by, "alice");
    const said = await contents(fixture.server, session);
    assert.ok(!JSON.stringify(said).includes("not much else happens"), "it was stopped in time");
    await user.close();
  });
});
