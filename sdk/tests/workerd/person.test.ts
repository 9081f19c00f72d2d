// Decisions, runs of tools and hand-overs, on the SDK of a page against a real Worker (P8).

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { agent, end, start } from "../../../tests/support/turns.ts";
import { until } from "../../../tests/support/wait.ts";
import {
  approvalsOf,
  callsOf,
  leadOf,
  type Session,
  type Tool,
  type ToolCallFrame,
} from "../../src/index.ts";
import { open, shows } from "../support.ts";

const fixture = useServer();
const ANN = { sub: "ann", caps: { "*": ["user"] } };
const SUE = { sub: "sue", name: "Sue", caps: { "*": ["supervisor"] } };

/** A turn that answers Ann. */
async function answering(page: Session, name: string) {
  const { serial } = await page.send("Where am I?");
  const bot = await agent(fixture.server, name);
  const { id: turn } = await start(bot, { input: serial });
  const call = (id: string, fields = {}) =>
    bot.ok({ type: "tool.call", id, turn, name: "locate", input: { id }, ...fields });
  const settled = async (id: string) => {
    const isIt = (frame: object) => {
      const { type, call } = frame as Partial<ToolCallFrame>;
      return (type === "tool.result" || type === "tool.expire") && call?.id === id;
    };
    const frame = await bot.next(isIt, "the call to be settled");
    return (frame as unknown as ToolCallFrame).call;
  };
  return { bot, turn, call, settled };
}

/** A tool that returns when the test says so. */
function slow() {
  const runs: { done(output: unknown): void; signal: AbortSignal }[] = [];
  const tool: Tool = (_, { signal }) => new Promise((done) => void runs.push({ done, signal }));
  return { runs, tool };
}

async function proxied(t: TestContext, name: string) {
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  return { wire, page: await open(t, wire, name, ANN) };
}

describe("P8.9 a tool of a page", () => {
  test("of ten tabs one runs a call, and the agent gets one result", async (t) => {
    const name = fixture.session();
    const tabs = await Promise.all(
      Array.from({ length: 10 }, () => open(t, fixture.server, name, ANN)),
    );
    const [first] = tabs;
    assert.ok(first);
    const { bot, call, settled } = await answering(first, name);
    const runs: string[] = [];
    for (const [index, tab] of tabs.entries()) {
      callsOf(tab).handle("locate", ({ id }) => {
        runs.push(id);
        return { tab: index };
      });
    }
    const other = await open(t, fixture.server, name, { ...ANN, sub: "bob" });
    callsOf(other).handle("locate", () => assert.fail("it was not asked"));
    const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
    for (const id of ids) {
      await call(id);
      assert.equal((await settled(id)).status, "complete");
    }
    assert.deepEqual(runs, ids);
    await shows(other, () => callsOf(other).pending.length === 0, "that none is pending");
    await bot.close();
  });

  test("a result that was there when the wire was cut is sent over the next one", async (t) => {
    const name = fixture.session();
    const { wire, page } = await proxied(t, name);
    const { runs, tool } = slow();
    callsOf(page).handle("locate", tool);
    const { bot, call, settled } = await answering(page, name);
    await call("c1");
    await until(
      () => runs.length,
      (count) => count === 1,
      "the tool to run",
    );
    wire.unplug();
    await shows(page, ({ connection }) => connection.state !== "connected", "a lost wire");
    runs[0]?.done({ city: "Oslo" });
    wire.plug();
    const { status, output } = await settled("c1");
    assert.deepEqual([status, output, runs.length], ["complete", { city: "Oslo" }, 1]);
    await bot.close();
  });

  test("a call outlives `kill -9` of the Worker, and its run settles it", async (t) => {
    const name = fixture.session();
    const page = await open(t, fixture.server, name, ANN);
    const { runs, tool } = slow();
    callsOf(page).handle("locate", tool);
    const { call } = await answering(page, name);
    await call("c1", { suspend: true });
    await until(
      () => runs.length,
      (count) => count === 1,
      "the tool to run",
    );
    await fixture.server.kill9();
    await fixture.server.start();
    runs[0]?.done("here");
    await shows(page, () => callsOf(page).pending.length === 0, "the call to be settled", 30_000);
    const { call: told } = await page.link.read<{ call: { output: unknown } }>("calls/c1");
    assert.deepEqual([told.output, runs.length], ["here", 1]);
    await shows(page, ({ turns }) => turns[0]?.status === "queued", "the turn to go on");
  });

  test("a tab that closes gives its call back, and a page that loads takes it", async (t) => {
    const name = fixture.session();
    const first = await open(t, fixture.server, name, ANN);
    const { runs, tool } = slow();
    callsOf(first).handle("locate", tool);
    const { bot, turn, call, settled } = await answering(first, name);
    await call("c1");
    await until(
      () => runs.length,
      (count) => count === 1,
      "the tool to run",
    );
    first.close();
    const again = await open(t, fixture.server, name, ANN);
    callsOf(again).handle("locate", () => "the second");
    assert.equal((await settled("c1")).output, "the second");
    await call("c2", { schema: { type: "number" } });
    const refused = await settled("c2");
    assert.equal(refused.status, "failed", "what the agent cannot use is an error");
    assert.match((refused.error as { message: string }).message, /schema|number|output/);
    callsOf(again).handle("ask", tool);
    await call("c3", { name: "ask" });
    await until(
      () => runs.length,
      (count) => count === 2,
      "the tool to run",
    );
    await end(bot, turn);
    await until(
      () => runs[1]?.signal.aborted,
      (is) => is === true,
      "the run to be aborted",
    );
    await bot.close();
  });
});

describe("P8 approvals of a page", () => {
  test("a decision made offline is sent, and others of that time show", async (t) => {
    const name = fixture.session();
    const { wire, page } = await proxied(t, name);
    const { bot, turn } = await answering(page, name);
    for (const id of ["a1", "a2"]) {
      await bot.ok({ type: "approval.request", id, turn, title: "Buy?" });
    }
    await shows(page, () => approvalsOf(page).pending.length === 2, "what is asked");
    wire.unplug();
    await shows(page, ({ connection }) => connection.state !== "connected", "a lost wire");
    const deciding = approvalsOf(page).decide("a1", "approve", { data: { seats: 2 } });
    assert.equal(approvalsOf(page).pending[0]?.deciding, "approve");
    await bot.ok({ type: "approval.withdraw", approval: "a2" });
    wire.plug();
    assert.deepEqual((await deciding).answer, { seats: 2 });
    const settled = () =>
      approvalsOf(page)
        .settled.map(({ id, status }) => `${id} ${status}`)
        .sort()
        .join();
    await shows(page, () => settled() === "a1 approved,a2 withdrawn", "both");
    assert.deepEqual(approvalsOf(page).pending, []);
    const { approvals } = await approvalsOf(page).list({ limit: 1 });
    assert.deepEqual(
      approvals.map(({ id }) => id),
      ["a2"],
      "the newest first",
    );
    await bot.close();
  });
});

describe("P8.6 grants of a page", () => {
  test("a decision with a scope settles later requests, until it is revoked", async (t) => {
    const name = fixture.session();
    const page = await open(t, fixture.server, name, ANN);
    const approvals = approvalsOf(page);
    const { bot, turn } = await answering(page, name);
    const request = (id: string) =>
      bot.ok({ type: "approval.request", id, turn, title: "Read mail?", grant: "mail" });
    await request("a1");
    await shows(page, () => approvals.pending.length === 1, "what is asked");
    await approvals.decide("a1", "approve", { scope: "session" });
    await request("a2");
    await shows(page, () => approvals.settled.length === 2, "what is settled at once");
    assert.deepEqual(approvals.pending, []);
    assert.deepEqual(await approvals.revoke("mail"), []);
    await request("a3");
    await shows(page, () => approvals.pending.length === 1, "what is asked again");
    await bot.close();
  });
});

describe("P8.8 the lead of a page", () => {
  test("who leads is shown everywhere, also where that is asked late", async (t) => {
    const name = fixture.session();
    const ann = await open(t, fixture.server, name, ANN);
    const sue = await open(t, fixture.server, name, SUE);
    await ann.send("hello?");
    leadOf(ann);
    const lead = await leadOf(sue).takeOver({ note: "let me" });
    assert.deepEqual([lead?.client, leadOf(sue).isOwn], ["sue", true]);
    await shows(ann, () => leadOf(ann).value?.note === "let me", "who leads");
    assert.equal(leadOf(ann).isOwn, false);
    const late = await open(t, fixture.server, name, { ...ANN, sub: "bob" });
    await shows(late, () => leadOf(late).value?.client === "sue", "who leads");
    await sue.send("I am Sue", { role: "assistant" });
    await assert.rejects(leadOf(ann).handBack(), { code: "forbidden" });
    await ann.send("Can you help?");
    await leadOf(sue).handBack({ wake: "last" });
    await shows(ann, () => leadOf(ann).value === undefined, "that nobody leads");
    await shows(ann, ({ turns }) => turns[0]?.status === "queued", "the agent's turn");
  });
});
