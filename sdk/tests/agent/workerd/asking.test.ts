// A turn asks people: it is suspended meanwhile, and goes on in this process or the next (P8).

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { join as path } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { call, field } from "../../../../tests/support/http.ts";
import { CuttingProxy } from "../../../../tests/support/proxy.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import {
  type AgentOptions,
  type AgentTurn,
  CallError,
  TakenError,
} from "../../../src/agent/index.ts";
import { type Approval, approvalsOf } from "../../../src/index.ts";
import { QUICK } from "../../support.ts";
import { contents, getTurn, join, LINKS } from "./agent.ts";
import { Person } from "./person.ts";

const fixture = useServer();
const proxies: CuttingProxy[] = [];
after(async () => {
  for (const proxy of proxies) await proxy.stop();
});

const BUY = { title: "Buy two tickets?", data: { seats: 2 } };

for (const [name, link] of Object.entries(LINKS)) {
  const options: Partial<AgentOptions> = link ? { link } : {};

  /** A turn that answers Ada. */
  const begin = async (t: TestContext, more: Partial<AgentOptions> = {}) => {
    const session = fixture.session();
    const ada = await Person.in(t, fixture.server, session);
    const { serial: input } = await ada.session.send("Tickets, please");
    const agent = join(fixture.server, session, { ...options, ...more });
    t.after(() => agent.close());
    const turn = await agent.startTurn({ input });
    return { session, ada, agent, turn, input };
  };
  /** Ends a turn that was asked in, which is still led here. */
  const ends = async (turn: AgentTurn, ada: Person) => {
    await turn.message("thank you");
    assert.equal((await turn.end()).status, "complete");
    assert.equal((await ada.turnIs(turn.id, "complete"))?.error, undefined);
  };

  describe(`a turn that asks, over ${name}`, () => {
    test("P8.4 goes on in this process with what a person has edited", async (t) => {
      const { ada, turn } = await begin(t);
      const asking = turn.approve(BUY);
      await ada.turnIs(turn.id, "suspended");
      await ada.decide("approve", { data: { seats: 1 }, comment: "just one" });
      const { approval, ...settled } = await within(asking, "the decision");
      assert.deepEqual(settled, {
        ...{ status: "approved", data: { seats: 1 }, comment: "just one", decidedBy: "ada" },
      });
      assert.deepEqual(
        approval.history.map(({ what }) => what),
        ["request", "decide"],
      );
      await ends(turn, ada);
    });

    test("P8.2 hears a no, and what was asked for is there unless it was edited", async (t) => {
      const { ada, turn } = await begin(t);
      const asking = turn.approve({ ...BUY, assignees: ["ada"] });
      await ada.decide("reject");
      const { status, data } = await within(asking, "the decision");
      assert.deepEqual([status, data], ["rejected", { seats: 2 }]);
      await ends(turn, ada);
    });

    test("P8.2 gets an answer: an option with its data, or a form", async (t) => {
      const { ada, turn } = await begin(t);
      const options = [
        { id: "front", label: "In front", data: { row: 1 } },
        { id: "back", label: "At the back" },
      ];
      const asking = turn.ask({ title: "Where?", options });
      await ada.decide("answer", { option: "front" });
      const seat = await within(asking, "the answer");
      assert.deepEqual([seat.status, seat.option, seat.data], ["answered", "front", { row: 1 }]);
      const schema = { type: "object", required: ["email"] };
      const form = turn.ask({ title: "Where to?", schema });
      await ada.decide("answer", { data: { email: "ada@example.com" } });
      assert.deepEqual((await within(form, "the form")).data, { email: "ada@example.com" });
      const last = turn.ask({ title: "Anything else?", options });
      await ada.decide("dismiss");
      const { status, data } = await within(last, "the dismissal");
      assert.deepEqual([status, data], ["dismissed", undefined]);
      await ends(turn, ada);
    });

    test("P8.3 hears that the deadline has passed", async (t) => {
      const { ada, turn } = await begin(t);
      const asking = turn.approve({ ...BUY, deadlineMs: 200 });
      const { status, decidedBy } = await within(asking, "the deadline");
      assert.deepEqual([status, decidedBy], ["expired", undefined]);
      await ends(turn, ada);
    });

    test("P8.4 asks twice at once, and is suspended once", async (t) => {
      const { ada, turn } = await begin(t);
      const asking = Promise.all([turn.approve(BUY), turn.approve(BUY)]);
      for (const one of await ada.pending(2)) {
        await approvalsOf(ada.session).decide(one.id, "approve");
      }
      const [first, second] = await within(asking, "both decisions");
      assert.notEqual(first.approval.id, second.approval.id, "each is asked for itself");
      assert.equal(ada.count("turn.suspend"), 1);
      await ends(turn, ada);
    });

    test("P8.4 sends nothing while it waits", async (t) => {
      const session = fixture.session();
      const ada = await Person.in(t, fixture.server, session);
      const agent = join(fixture.server, session, options);
      const turn = await agent.startTurn({ leaseMs: 1000 });
      const sent: string[] = [];
      const { request } = agent.link;
      agent.link.request = (frame, more) => {
        sent.push(frame.type);
        return request.call(agent.link, frame, more) as never;
      };
      const asking = turn.approve({ ...BUY, deadlineMs: 1500 });
      await ada.turnIs(turn.id, "suspended");
      sent.length = 0;
      await within(asking, "the deadline, after the lease");
      assert.ok(!sent.includes("turn.heartbeat"), `sent ${sent}`);
      await until(
        () => sent,
        () => sent.includes("turn.heartbeat"),
        "a sign of life in the new lease",
      );
      await turn.end();
    });

    test("P6.5 is cancelled meanwhile: the question is gone, and the caller told", async (t) => {
      const { session, ada, agent, turn, input } = await begin(t);
      const answering = agent.answer({ input, again: true, id: "again" }, (other) =>
        other.approve(BUY),
      );
      const asking = assert.rejects(turn.approve(BUY), {
        ...{ name: "AbortError", message: "cancelled by ada" },
      });
      const [one] = await ada.pending(2);
      await ada.session.cancel({ all: true });
      await within(asking, "the end of the question");
      assert.equal((await within(answering, "the answer")).status, "cancelled");
      await ada.pending(0);
      await assert.rejects(turn.approve(BUY), { name: "AbortError" });
      const at = `/approvals/${encodeURIComponent(one?.id ?? "")}`;
      const found = await call(fixture.server, session, "GET", at);
      assert.equal((field(found, "approval") as Approval).status, "withdrawn");
    });

    test("P8.2 takes its question back", async (t) => {
      const { ada, turn } = await begin(t);
      const control = new AbortController();
      const asking = turn.approve({ ...BUY, signal: control.signal });
      await ada.pending();
      control.abort(new Error("sold out"));
      await assert.rejects(within(asking, "the withdrawal"), /sold out/);
      await ada.pending(0);
      await assert.rejects(turn.approve({ ...BUY, signal: control.signal }), /sold out/);
      await ends(turn, ada);
    });

    test("P8.6 does not wait for what a person has allowed for good", async (t) => {
      const { ada, turn } = await begin(t);
      const asking = turn.approve({ ...BUY, grant: "tickets" });
      await ada.decide("approve", { scope: "turn" });
      await within(asking, "the decision");
      const again = await turn.approve({ ...BUY, data: { seats: 3 }, grant: "tickets" });
      assert.deepEqual([again.status, again.decidedBy], ["approved", "ada"]);
      assert.equal(ada.count("turn.suspend"), 1);
      await ends(turn, ada);
    });

    test("P8.7 is answered in words, which are an input like any other", async (t) => {
      const inputs: unknown[] = [];
      const { ada, agent, turn } = await begin(t, {
        onInput: ({ data }) => void inputs.push(data),
      });
      const isThere = () => agent.link.status.state;
      await until(isThere, (state) => state === "connected", "the agent to be there");
      const asking = turn.approve({ ...BUY, onMessage: "dismiss" });
      await ada.pending();
      const { serial } = await ada.session.send("First tell me the price");
      const { status, comment } = await within(asking, "the words");
      assert.deepEqual([status, comment], ["dismissed", serial]);
      assert.deepEqual(inputs, ["First tell me the price"]);
      await ends(turn, ada);
    });

    test("P8.1 finds by its id what an earlier question was answered with", async (t) => {
      const { session, ada, agent, turn } = await begin(t);
      const asking = turn.approve({ ...BUY, id: "tickets" });
      await ada.decide("approve");
      const { approval } = await within(asking, "the decision");
      assert.equal(approval.id, "tickets");
      const known = await turn.approve({ title: "In other words", id: "tickets" });
      assert.deepEqual(known.approval, approval);
      assert.deepEqual(known.data, BUY.data, "what was approved, not what was asked now");
      await agent.startTurn({ id: turn.id, taken: "keep" }).then(async (next) => {
        assert.equal((await next.approve({ ...BUY, id: "tickets" })).status, "approved");
        await ends(next, ada);
      });
      assert.equal((await getTurn(fixture.server, session, turn.id)).status, "complete");
    });

    test("P8.4 goes on in this process, though it was away when a person decided", async (t) => {
      const proxy = await CuttingProxy.start(fixture.server.port);
      proxies.push(proxy);
      const session = fixture.cutSession();
      const ada = await Person.in(t, fixture.server, session);
      const queued: string[] = [];
      const agent = join(proxy, session, {
        ...{ ...options, timing: QUICK, onQueued: ({ id }) => void queued.push(id) },
      });
      const turn = await agent.startTurn();
      await turn.message("before");
      const asking = turn.approve(BUY);
      await ada.pending();
      proxy.unplug();
      await until(
        () => agent.link.status.state,
        (state) => state === "waiting",
        "the agent to be away",
      );
      const [one] = await ada.pending();
      await approvalsOf(ada.session).decide(one?.id ?? "", "approve");
      await ada.turnIs(turn.id, "queued");
      proxy.plug();
      assert.equal((await within(asking, "the decision")).status, "approved");
      assert.equal(turn.attempt, 2);
      assert.deepEqual(queued, [], "it was never another's");
      await ends(turn, ada);
      assert.deepEqual(
        (await contents(fixture.server, session)).map(([, data]) => data),
        ["before", "thank you"],
      );
    });

    test("P8.8 a person leads: it waits until the agent may go on", async (t) => {
      const { ada, turn, agent, session } = await begin(t, {
        onQueued: (_, start) => void again(start),
      });
      const boss = await Person.in(t, fixture.server, session, "boss", "supervisor");
      let done = (_: unknown) => {};
      const isDone = new Promise((resolve) => {
        done = resolve;
      });
      const again = (start: object) =>
        agent.answer(start, async (next) => done((await next.approve(BUY)).status));
      const asking = turn.approve(BUY);
      asking.catch(() => {});
      await ada.pending();
      await boss.session.link.request({ type: "lead.take" });
      await ada.decide("approve");
      if (name === "a WebSocket") {
        assert.equal((await within(asking, "the decision")).status, "approved");
        await ends(turn, ada);
        return;
      }
      // Without a connection that leads, the next attempt has to be taken (P8.4).
      await assert.rejects(within(asking, "the refusal"), { code: "led-by-person" });
      await boss.session.link.request({ type: "lead.return" });
      assert.equal(await within(isDone, "the same question again"), "approved");
      await ada.turnIs(turn.id, "complete");
    });

    test("P8.9 calls a tool that a device runs", async (t) => {
      const { ada, turn } = await begin(t);
      const calling = turn.call<{ city: string }>("location", { precise: false });
      const call = await ada.called();
      assert.deepEqual([call.name, call.input], ["location", { precise: false }]);
      await ada.turnIs(turn.id, "suspended");
      await ada.runs(call.id, { output: { city: "Oslo" } });
      assert.equal((await within(calling, "the output")).city, "Oslo");
      await ends(turn, ada);
    });

    test("P8.9 hears that a tool has failed, or that nobody ran it", async (t) => {
      const { ada, turn } = await begin(t);
      const calling = turn.call("location", {}, { id: "where" });
      const call = await ada.called();
      assert.equal(call.id, "where");
      const problem = { code: "denied", message: "not now" };
      const failing = assert.rejects(calling, (error) => {
        assert.ok(error instanceof CallError);
        assert.equal(error.message, "unable to call location; not now");
        assert.deepEqual([error.call.status, error.call.error], ["failed", problem]);
        return true;
      });
      await ada.runs(call.id, { error: problem });
      await within(failing, "the error");
      await assert.rejects(turn.call("location", {}, { deadlineMs: 100, suspend: false }), {
        ...{ name: "CallError", message: "unable to call location; it is expired" },
      });
      const late = turn.call("location", {}, { signal: AbortSignal.timeout(100) });
      await assert.rejects(within(late, "the withdrawal"), { name: "TimeoutError" });
      await ends(turn, ada);
    });

    for (const isThere of [true, false]) {
      const when = isThere ? "is there by then" : "comes later, the Worker killed as well";
      test(`P8.3 is killed, and its next process ${when}`, async (t) => {
        const session = fixture.session();
        const ada = await Person.in(t, fixture.server, session);
        const TOKEN = await makeToken({ sub: "agent", caps: { "*": ["agent"] } });
        const spawn = async () => {
          const { url: URL } = fixture.server;
          const env = { ...process.env, URL, SESSION: session, TOKEN, LINK: name };
          const child = fork(path(import.meta.dirname, "buyer.ts"), { env });
          t.after(() => child.kill("SIGKILL"));
          const joined = new Promise<void>((resolve) => {
            child.on("message", (state) => state === "connected" && resolve());
          });
          await within(joined, "the agent to join");
          return child;
        };
        const first = await spawn();
        await ada.session.send("Tickets, please");
        const call = await ada.called();
        await ada.runs(call.id, { output: { seats: 2 } });
        const [one] = await ada.pending();
        const gone = new Promise((resolve) => first.once("exit", resolve));
        first.kill("SIGKILL");
        await within(gone, "the agent to die");
        if (isThere) await spawn();
        else {
          await fixture.server.kill9();
          await fixture.server.start();
        }
        await ada.decide("approve", { data: { seats: 1 } });
        if (!isThere) {
          await ada.turnIs(one?.turn ?? "", "queued");
          await spawn();
        }
        await ada.turnIs(one?.turn ?? "", "complete");
        assert.deepEqual([ada.count("tool.call"), ada.count("approval.request")], [1, 1]);
        const attempts = name === "a WebSocket" ? 2 : 3;
        assert.equal((await getTurn(fixture.server, session, one?.turn ?? "")).attempt, attempts);
        assert.deepEqual(
          (await contents(fixture.server, session)).map(([, data]) => data),
          [
            "Tickets, please",
            "I have found two tickets",
            { status: "approved", data: { seats: 1 }, decidedBy: "ada" },
          ],
        );
      });
    }
  });
}

test("P6.8 a text that was growing is said anew by the next run of the same handler", async (t) => {
  const session = fixture.session();
  const ada = await Person.in(t, fixture.server, session);
  let runs = 0;
  const work = async (turn: AgentTurn) => {
    runs += 1;
    const text = turn.write();
    text.append("I ask: ");
    const { status } = await turn.approve(BUY);
    text.append(status);
    await text.end();
  };
  const answer = (_: unknown, start: object) =>
    agent.answer(start, work).catch((error) => {
      assert.ok(error instanceof TakenError || error.code === "not-leader", error);
    });
  const agent = join(fixture.server, session, {
    ...{ link: LINKS["fetch alone"], onQueued: answer, onInput: answer },
  });
  await until(
    () => agent.link.status.state,
    (state) => state === "connected",
    "the agent to be there",
  );
  await ada.session.send("Tickets, please");
  const [one] = await ada.pending();
  await ada.decide("approve");
  await ada.turnIs(one?.turn ?? "", "complete");
  assert.equal(runs, 2);
  assert.deepEqual((await contents(fixture.server, session)).at(-1), [
    "message",
    "I ask: approved",
  ]);
});

test("P3.4 an agent finds turns that wait, though too many for `attached`", async (t) => {
  const session = fixture.session();
  const ada = await Person.in(t, fixture.server, session);
  const metadata = "x".repeat(3000);
  await using first = join(fixture.server, session);
  const asked: string[] = [];
  for (let index = 0; index < 30; index += 1) {
    const turn = await first.startTurn({ metadata });
    turn.approve({ ...BUY, id: `a${index}` }).catch(() => {});
    asked.push(turn.id);
  }
  await ada.pending(30);
  first.close();
  const decided = asked.map((_, index) => approvalsOf(ada.session).decide(`a${index}`, "approve"));
  await Promise.all(decided);
  const found = new Set<string>();
  const second = join(fixture.server, session, { onQueued: ({ id }) => void found.add(id) });
  await until(
    () => found.size,
    (size) => size === 30,
    "all turns that wait",
  );
  assert.equal(second.link.attached?.turns, undefined);
});
