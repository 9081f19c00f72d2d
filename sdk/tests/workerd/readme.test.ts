// The samples for agents in the READMEs of the SDK, each as it stands there, as a process.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { ROOT } from "../../../tests/support/server.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { approvalsOf, presenceOf, sharedState, usageOf } from "../../src/index.ts";
import { buildSample, samplesIn } from "../samples.ts";
import { open, shows } from "../support.ts";

const fixture = useServer();
// Where the packages are found that a sample imports.
const directory = mkdtempSync(join(ROOT, "sdk", "node_modules", ".readme-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** The reader's own agent: the session's address, and a model. */
const HAS = `
  import { model } from "../../examples/agent-ai-sdk/model.js";
  const { URL: url, SESSION: id, TOKEN: token } = process.env;
  const ids = { threadId: "t", runId: "r" };
  const said = { messageId: "m" };
  const adapter = {
    kind: "text",
    name: "scripted",
    model: "weather-teller",
    async *chatStream() {
      yield { type: "RUN_STARTED", ...ids };
      yield { type: "TEXT_MESSAGE_START", ...said, role: "assistant" };
      yield { type: "TEXT_MESSAGE_CONTENT", ...said, delta: "It is 7° in Oslo" };
      yield { type: "TEXT_MESSAGE_END", ...said };
      yield { type: "RUN_FINISHED", ...ids, finishReason: "stop" };
    },
  };
`;

/** The samples of the agent's README, in order. */
const [ANSWERS, ASKS = "", WAITS = "", REPORTS = "", DRIVES = "", ...MORE] =
  samplesIn("src/agent/README.md");
const STEPS = `const steps = [{ run: async function* () { yield "It is 7° in Oslo"; } }];\n`;

const AGENTS = [
  { name: "the AI SDK's, in the README", code: samplesIn("README.md").at(-2) },
  { name: "TanStack AI's, in the README", code: samplesIn("README.md").at(-1) },
  { name: "the one of the agent's README", code: ANSWERS },
  { name: "the one that waits for readers", code: STEPS + WAITS },
];

for (const [index, { name, code = "" }] of AGENTS.entries()) {
  test(`an agent answers: ${name}`, async (t) => {
    assert.match(code, /createAgentSession/);
    const session = code.includes('"support-42"') ? "support-42" : fixture.session();
    const file = join(directory, `${index}.mjs`);
    await buildSample(HAS + code, file, { platform: "node", packages: "external" });
    const TOKEN = await makeToken({ sub: "bot", caps: { "*": ["agent"] } });
    const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
    await presenceOf(page).enter();
    const env = { ...process.env, URL: fixture.server.url, SESSION: session, TOKEN, DELAY_MS: "1" };
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "ignore", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    // An input that was there before the agent is history to it.
    const asking = setInterval(() => page.send("How is the weather?"), 500);
    t.after(() => clearInterval(asking));
    const isAnswer = ({ role, data }: { role: string; data?: unknown }) =>
      role === "assistant" && String(data).includes("7° in Oslo");
    await shows(page, ({ messages }) => messages.some(isAnswer), "an answer", 30_000);
    clearInterval(asking);
    await shows(page, ({ turns }) => turns.some((it) => it.status === "complete"), "its end");
  });
}

test("an agent asks, is killed, and goes on: the other one of its README", async (t) => {
  assert.deepEqual(MORE, [], "each sample is run");
  const session = fixture.session();
  const file = join(directory, "asking.mjs");
  const refund = "const refund = async () => {};\n";
  await buildSample(HAS + refund + ASKS, file, { platform: "node", packages: "external" });
  const TOKEN = await makeToken({ sub: "bot", caps: { "*": ["agent"] } });
  const env = { ...process.env, URL: fixture.server.url, SESSION: session, TOKEN };
  const start = () => {
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "ignore", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    return child;
  };
  const who = { sub: "boss", caps: { "*": ["supervisor"] } };
  const page = await open(t, fixture.server, session, who);
  const approvals = approvalsOf(page);
  const first = start();
  // An input that was there before the agent is history to it.
  const asking = setInterval(() => page.send("My money, please"), 500);
  t.after(() => clearInterval(asking));
  await shows(page, () => approvals.pending.length > 0, "a question", 30_000);
  clearInterval(asking);
  const gone = new Promise((done) => first.once("exit", done));
  first.kill("SIGKILL");
  await gone;
  for (const { id } of approvals.pending) {
    await approvals.decide(id, "approve", { data: { order: 4711, amount: 80 } });
  }
  start();
  await shows(page, ({ turns }) => turns.some((it) => it.status === "complete"), "its end");
  assert.ok(page.messages.some(({ data }) => data === "Refunded: 80 €"));
});

/** A turn in which samples stand that have one, and the streams that they name. */
const IN_TURN = `
  import { agUi, aiSdk, createAgentSession } from "sessile/agent";
  const of = async function* (...all) { yield* all; };
  const events = of(
    { type: "RUN_STARTED", ...ids },
    { type: "STATE_SNAPSHOT", snapshot: { step: 1 } },
    { type: "RUN_FINISHED", ...ids },
  );
  const plan = { type: "data-plan", data: { days: 3 } };
  const chunks = of({ type: "start" }, plan, { type: "finish" });
  const usage = { input_tokens: 9, output_tokens: 21 };
  const response = of(
    { type: "response.output_text.delta", item_id: "i", output_index: 0, delta: "7°" },
    { type: "response.completed", response: { id: "r", status: "completed", usage } },
  );
  const session = createAgentSession({ url, session: id, token, onInput: answer });
  let isAnswered = false;
  async function answer(_, start) {
    if (isAnswered) return;
    isAnswered = true;
    const turn = await session.startTurn(start);
`;

test("P6.12, P9.1 a turn drives the state, and reports what it used", async (t) => {
  const session = fixture.session();
  const file = join(directory, "reporting.mjs");
  const isImport = (line: string) => line.startsWith("import ");
  const lines = (DRIVES + REPORTS).split("\n");
  const body = lines.filter((line) => !isImport(line)).join("\n");
  const imports = lines.filter(isImport).join("\n");
  const code = `${imports}\n${HAS}${IN_TURN}${body}}`;
  await buildSample(code, file, { platform: "node", packages: "external" });
  const TOKEN = await makeToken({ sub: "bot", caps: { "*": ["agent"] } });
  const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
  const [state, usage] = [sharedState(page), usageOf(page)];
  const env = { ...process.env, URL: fixture.server.url, SESSION: session, TOKEN };
  const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "ignore", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const asking = setInterval(() => page.send("Plan my days"), 500);
  t.after(() => clearInterval(asking));
  await shows(page, ({ turns }) => turns.some((it) => it.status === "complete"), "its end", 30_000);
  assert.deepEqual(state.value, { agents: { planner: { step: 1 } }, plan: { days: 3 } });
  const sums = { costMicros: 1200, inputTokens: 9, outputTokens: 21, totalTokens: 30 };
  assert.deepEqual(usage.value.sums, { ...sums, toolCalls: 3 });
});
