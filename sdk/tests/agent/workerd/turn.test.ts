// An agent's turn against the real Worker: it speaks, is cancelled, steered, and always ends.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../../../tests/support/client.ts";
import { useServer } from "../../../../tests/support/fixture.ts";
import { call } from "../../../../tests/support/http.ts";
import { tokens } from "../../../../tests/support/random.ts";
import { assertText } from "../../../../tests/support/text.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import { aiSdk, readMessage, readMessages, TakenError } from "../../../src/agent/index.ts";
import { TWO_STEPS } from "../streams/ai-sdk.ts";
import { contents, getTurn, join, LINKS, Tap } from "./agent.ts";

const fixture = useServer();

for (const [name, link] of Object.entries(LINKS)) {
  const options = link ? { link } : {};

  describe(`a turn over ${name}`, () => {
    test("is one message of plain text, complete with its turn", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const user = await connect(fixture.server, session, { sub: "alice" });
      const input = await user.publish("Hello?");
      const turn = await agent.startTurn({ input });
      const result = await turn.stream(tokens(500));
      assert.deepEqual(result, { status: "complete" });
      const ended = await turn.end();
      assert.equal(ended.status, "complete");
      const [asked, answer] = await contents(fixture.server, session);
      assert.deepEqual(asked, ["message", "Hello?"]);
      assertText(answer?.[1], tokens(500).join(""));
      const message = (await readMessages(agent)).messages[0];
      assert.equal(message?.role, "assistant");
      assert.equal(message?.status, "complete");
      assert.equal(message?.turn, turn.id);
      assert.equal((await getTurn(fixture.server, session, turn.id)).input, input);
      await user.close();
    });

    test("gives its readers the first token before the second is there", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const user = await connect(fixture.server, session, { query: { rollup: 0 } });
      const turn = await agent.startTurn();
      const tap = new Tap<string>();
      const streaming = turn.stream(tap);
      tap.give("one");
      const created = await user.next("message.create");
      assert.deepEqual([created.message?.data, created.message?.status], ["one", "streaming"]);
      tap.give(" two");
      const grown = await user.next("message.append");
      assert.deepEqual([grown.offset, grown.data], [3, " two"]);
      tap.end();
      await streaming;
      await turn.end();
      await user.close();
    });

    test("holds back half of a surrogate pair", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      await turn.stream(["a \ud83d", "\udc4d b \ud83d"]);
      await turn.end();
      assert.deepEqual(await contents(fixture.server, session), [
        ["message", "a \u{1f44d} b \ufffd"],
      ]);
    });

    test("writes a provider's stream as messages of their own names", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      assert.deepEqual(await turn.stream(TWO_STEPS, aiSdk()), { status: "complete" });
      await turn.end();
      const found = await contents(fixture.server, session);
      assert.deepEqual(
        found.map(([name]) => name),
        [
          ...["response", "step", "reasoning", "tool-input", "tool-output"],
          ...["step", "message", "source", "source"],
        ],
      );
      assert.deepEqual(found[3], ["tool-input", { city: "Oslo" }]);
      assert.deepEqual(found[6], ["message", "It is 7° in Oslo."]);
    });

    test("says whole messages, and progress in place", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      await Promise.all([1, 2, 3, 4].map((step) => turn.progress({ step })));
      const headers = { of: "x" };
      const serial = await turn.message({ any: "JSON" }, { name: "result", headers });
      const writer = turn.write({ name: "notes" });
      writer.append("by ");
      writer.append("hand");
      await writer.end();
      await turn.end();
      assert.deepEqual(await contents(fixture.server, session), [
        ["progress", { step: 4 }],
        ["result", { any: "JSON" }],
        ["notes", "by hand"],
      ]);
      assert.deepEqual((await readMessage(agent, serial)).headers, headers);
    });

    test("hears of a cancel, stops its source and keeps what was said", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const user = await connect(fixture.server, session, { sub: "alice" });
      const turn = await agent.startTurn();
      const tap = new Tap<string>();
      const streaming = turn.stream(tap);
      tap.give("so far ");
      await user.next("message.create");
      const fired = new Promise<void>((done) =>
        turn.signal.addEventListener("abort", () => done()),
      );
      await user.ok({ type: "cancel", turn: turn.id, reason: "enough" });
      await within(fired, "the signal of the turn");
      assert.equal(turn.signal.reason.name, "AbortError");
      assert.match(turn.signal.reason.message, /alice/);
      assert.deepEqual(await within(streaming, "the stream to stop"), { status: "cancelled" });
      assert.ok(tap.isStopped, "the source was told");
      assert.equal((await turn.end()).status, "cancelled");
      assert.equal(turn.info.cancel?.reason, "enough");
      const ended = await user.next("turn.end");
      assert.equal((ended as unknown as { turn: { status: string } }).turn.status, "cancelled");
      const { messages } = await readMessages(agent);
      assert.deepEqual([messages[0]?.data, messages[0]?.status], ["so far ", "cancelled"]);
      await user.close();
    });

    test("is over before it began where its input was cancelled", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const user = await connect(fixture.server, session, { sub: "alice" });
      const input = await user.publish("Hello?");
      await user.ok({ type: "cancel", input });
      const ended = await agent.answer({ input }, async (turn) => {
        assert.ok(turn.signal.aborted && turn.isCancelled);
        assert.deepEqual(await turn.stream(["too late"]), { status: "cancelled" });
      });
      assert.equal(ended.status, "cancelled");
      await user.close();
    });

    test("takes the instructions that come meanwhile, each once", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const user = await connect(fixture.server, session, { sub: "alice" });
      const turn = await agent.startTurn();
      const noticed = new Promise<void>((done) => turn.onSteer(done));
      await user.ok({ type: "steer", turn: turn.id, data: "in French" });
      await within(noticed, "the instruction");
      const [steer, ...more] = await turn.steered();
      assert.deepEqual([steer?.data, steer?.client, more], ["in French", "alice", []]);
      assert.deepEqual(await turn.steered(), []);
      const update = await user.next("message.update");
      assert.equal(update.message?.headers?.steer, "taken");
      await user.ok({ type: "steer", turn: turn.id, data: "too late" });
      await turn.end();
      const missed = await user.next("message.update");
      assert.equal(missed.message?.headers?.steer, "missed");
      await user.close();
    });

    test("keeps its lease while it says nothing", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn({ leaseMs: 3000 });
      const first = turn.info.leaseUntil ?? 0;
      const isKept = (until: number | undefined) => (until ?? 0) > first + 6000;
      const seen = await until(
        () => getTurn(fixture.server, session, turn.id),
        ({ status, leaseUntil }) => status !== "active" || isKept(leaseUntil),
        "the lease to be renewed again and again",
      );
      assert.equal(seen.status, "active");
      assert.ok(!turn.signal.aborted);
      await turn.message("late, but there");
      assert.equal((await turn.end()).status, "complete");
    });

    test("ends when the work throws, and says why", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      let id = "";
      const work = agent.answer({}, async (turn) => {
        id = turn.id;
        await turn.message("half");
        throw Object.assign(new Error("no more money"), { code: "budget" });
      });
      await assert.rejects(work, /no more money/);
      const turn = await getTurn(fixture.server, session, id);
      assert.equal(turn.status, "failed");
      assert.deepEqual(turn.error, { code: "budget", message: "no more money" });
    });

    test("ends failed when its source breaks, with what was said", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      const turn = await agent.startTurn();
      const broken = async function* () {
        yield "so far ";
        throw new Error("the provider hung up");
      };
      await assert.rejects(turn.stream(broken()), /hung up/);
      assert.equal((await turn.end()).status, "failed");
      assert.deepEqual(turn.info.error, { message: "the provider hung up" });
      const { messages } = await readMessages(agent);
      assert.deepEqual([messages[0]?.data, messages[0]?.status], ["so far ", "failed"]);
    });

    test("ends with its scope", async () => {
      const session = fixture.session();
      await using agent = join(fixture.server, session, options);
      let silent = "";
      let spoken = "";
      {
        await using turn = await agent.startTurn();
        silent = turn.id;
      }
      {
        await using turn = await agent.startTurn();
        spoken = turn.id;
        await turn.stream(["hello"]);
      }
      assert.equal((await getTurn(fixture.server, session, silent)).status, "failed");
      assert.equal((await getTurn(fixture.server, session, spoken)).status, "complete");
    });

    test("is left to whoever answers the input already, or adopted", async () => {
      const session = fixture.session();
      const user = await connect(fixture.server, session, { sub: "alice" });
      const input = await user.publish("Hello?");
      await using first = join(fixture.server, session, options);
      const turn = await first.startTurn({ input });
      const tap = new Tap<string>();
      const lost = assert.rejects(turn.stream(tap), /adopted|attempt/);
      tap.give("the first says");
      await user.next((frame) => frame.message?.turn === turn.id);
      await user.ok({ type: "steer", turn: turn.id, data: "wait" });

      await using second = join(fixture.server, session, options);
      await assert.rejects(second.startTurn({ input }), (error) => {
        assert.ok(error instanceof TakenError);
        assert.equal(error.turn.id, turn.id);
        return true;
      });
      const adopted = await second.startTurn({ input, taken: "adopt" });
      assert.deepEqual([adopted.id, adopted.attempt], [turn.id, 2]);
      await within(lost, "the first to lose the turn");
      assert.ok(turn.signal.aborted);
      await turn.end();
      assert.equal((await adopted.steered())[0]?.data, "wait");
      await adopted.stream(["the second says"]);
      assert.equal((await adopted.end()).status, "complete");
      const said = (await contents(fixture.server, session)).filter(([name]) => name !== "steer");
      assert.deepEqual(
        said.map(([, data]) => data),
        ["Hello?", "the second says"],
      );
      await assert.rejects(first.startTurn({ input, taken: "adopt" }), TakenError);
      await user.close();
    });

    test("is refused to whoever may not lead it, with the reason", async () => {
      const session = fixture.session();
      const token = await makeToken({
        sub: "agent",
        caps: { "*": ["agent"] },
        key: "x".repeat(40),
      });
      const forged = join(fixture.server, session, { ...options, token });
      await assert.rejects(forged.startTurn(), { code: "unauthorized" });
      assert.equal(forged.link.status.state, "closed");
      const viewer = await makeToken({ sub: "agent", caps: { "*": ["viewer"] } });
      const weak = join(fixture.server, session, { ...options, token: viewer });
      await assert.rejects(weak.startTurn(), { code: "forbidden", message: /turn/ });
      const errors: (string | undefined)[] = [];
      const noted = new Promise<void>((done) => {
        join(fixture.server, session, {
          ...options,
          token: () => token,
          onStatus: ({ state, error }) => {
            if (state === "waiting") errors.push(error?.code);
            if (errors.length === 2) done();
          },
        });
      });
      await within(noted, "a second attempt with a new token");
      assert.deepEqual(errors, ["unauthorized", "unauthorized"]);
    });

    test("goes on after what an earlier process said", async () => {
      const session = fixture.session();
      await using first = join(fixture.server, session, options);
      const turn = await first.startTurn({ id: "job-7" });
      await turn.stream(["one"]);
      await using second = join(fixture.server, session, options);
      const kept = await second.startTurn({ id: "job-7", taken: "keep" });
      await kept.stream(["two"]);
      await kept.end();
      assert.deepEqual(await contents(fixture.server, session), [
        ["message", "one"],
        ["message", "two"],
      ]);
    });
  });
}

describe("inputs", () => {
  test("are heard once each, and answered one after another by one process", async () => {
    const session = fixture.session();
    await call(fixture.server, session, "PATCH", "", { json: { settings: { onInput: "queue" } } });
    const user = await connect(fixture.server, session, {
      sub: "alice",
      caps: { "*": ["user"] },
    });
    const answered: unknown[] = [];
    let over = () => {};
    const all = new Promise<void>((done) => {
      over = done;
    });
    const serve = () => {
      const answer = async (input: string) => {
        try {
          await agent.answer({ input }, async (turn) => {
            const { data } = await readMessage(agent, input);
            await turn.stream([`you said ${data}`]);
            answered.push(data);
          });
        } catch (error) {
          if (!(error instanceof TakenError)) throw error;
        }
        if (answered.length === 3) over();
      };
      const agent = join(fixture.server, session, {
        onInput: ({ serial }) => void answer(serial),
        onQueued: ({ input }) => void (input && answer(input)),
      });
      return agent;
    };
    await using first = serve();
    await using second = serve();
    const areThere = () => [first, second].every(({ link }) => link.status.state === "connected");
    await until(areThere, Boolean, "both agents to be there");
    for (const data of ["one", "two", "three"]) await user.publish(data);
    await within(all, "three answers");
    assert.deepEqual(answered.sort(), ["one", "three", "two"]);
    const said = await contents(fixture.server, session);
    assert.equal(said.length, 6, "nothing was answered twice");
    await user.close();
  });

  test("of before are not heard by whoever joins later", async () => {
    const session = fixture.session();
    const user = await connect(fixture.server, session, { sub: "alice" });
    await user.publish("long ago");
    const heard: unknown[] = [];
    await using agent = join(fixture.server, session, {
      onInput: ({ data }) => void heard.push(data),
    });
    const isThere = () => agent.link.status.state === "connected";
    await until(isThere, Boolean, "the agent to be there");
    await user.publish("now");
    await until(
      () => heard,
      ({ length }) => length > 0,
      "an input",
    );
    assert.deepEqual(heard, ["now"]);
    await user.close();
  });
});
