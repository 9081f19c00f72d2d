// The people who are there, for a turn's leader (P7), over a socket and without one.

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { useServer } from "../../../../tests/support/fixture.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import type { AgentOptions, Audience, SessileError } from "../../../src/agent/index.ts";
import { leadOf, presenceOf } from "../../../src/index.ts";
import { open } from "../../support.ts";
import { join, LINKS } from "./agent.ts";

const fixture = useServer();

/** A wait: its outcome, and its end. */
function watching(waiting: Promise<Audience>) {
  const state: { audience?: Audience; error?: Error } = {};
  const over = waiting.then(
    (audience) => void Object.assign(state, { audience }),
    (error: Error) => void Object.assign(state, { error }),
  );
  return { state, over: within(over, "the wait to end") };
}

for (const [name, link] of Object.entries(LINKS)) {
  const options: Partial<AgentOptions> = link ? { link } : {};
  const begin = async (leaseMs = 30_000) => {
    const session = fixture.session();
    const agent = join(fixture.server, session, options);
    const turn = await agent.startTurn({ leaseMs });
    return { session, agent, turn };
  };
  const enters = async (t: TestContext, session: string, data?: unknown, sub = "ada") => {
    const page = await open(t, fixture.server, session, { sub, caps: { "*": ["supervisor"] } });
    await presenceOf(page).enter(data);
    return page;
  };

  describe(`a turn's audience, over ${name}`, () => {
    test("P7.3 is the people among the members, as they come and go", async (t) => {
      const { session, turn } = await begin();
      assert.deepEqual(turn.audience, { members: [], count: 0 });
      const other = await open(t, fixture.server, session, {
        sub: "bot",
        caps: { "*": ["agent"] },
      });
      await presenceOf(other).enter();
      const first = watching(turn.watched());
      const ada = await enters(t, session, { device: "phone" });
      await first.over;
      const [member] = first.state.audience?.members ?? [];
      assert.deepEqual([member?.client, member?.data], ["ada", { device: "phone" }]);
      assert.equal(first.state.audience?.count, 1, "another agent is nobody who looks");
      assert.equal(await within(turn.watched(), "somebody who is there"), turn.audience);
      const bob = await enters(t, session, undefined, "bob");
      await until(
        () => turn.audience.count,
        (count) => count === 2,
        "both",
      );
      ada.close();
      bob.close();
      await until(
        () => turn.audience.count,
        (count) => count === 0,
        "nobody",
      );
      await turn.end();
    });

    test("P6.8 waits longer than its lease, and is led when somebody comes", async (t) => {
      const { session, turn } = await begin(1000);
      const { state, over } = watching(turn.watched());
      const leaseUntil = () => turn.info.leaseUntil ?? 0;
      const page = await open(t, fixture.server, session, { sub: "ada", caps: { "*": ["user"] } });
      // The session tells of an attach whatever its lease; only time can pass it.
      await new Promise((done) => setTimeout(done, leaseUntil() - Date.now() + 1500));
      assert.deepEqual(state, {});
      await presenceOf(page).enter();
      await over;
      assert.equal(state.audience?.count, 1);
      await turn.message("welcome");
      assert.equal((await turn.end()).status, "complete");
    });

    test("counts whom it is told to count", async (t) => {
      const { session, turn } = await begin();
      const who = ({ data }: { data?: unknown }) => (data as { hidden: boolean }).hidden === false;
      const { state, over } = watching(turn.watched({ who }));
      const page = await enters(t, session, { hidden: true });
      await until(
        () => turn.audience.count,
        (count) => count === 1,
        "a hidden page",
      );
      assert.deepEqual(state, {});
      await presenceOf(page).enter({ hidden: false });
      await over;
      assert.equal(state.audience?.count, 1);
      await turn.end();
    });

    test("ends at a cancel, a hand-over that cancels, the end, and its signal", async (t) => {
      const { session, agent, turn } = await begin();
      const page = await open(t, fixture.server, session, {
        ...{ sub: "sue", caps: { "*": ["supervisor"] } },
      });
      const control = new AbortController();
      const aborted = watching(turn.watched({ signal: control.signal }));
      const cancelled = watching(turn.watched());
      control.abort(new Error("enough"));
      await aborted.over;
      assert.equal(aborted.state.error?.message, "enough");
      assert.deepEqual(cancelled.state, {});
      await page.cancel(turn.id);
      await cancelled.over;
      assert.equal(cancelled.state.error, turn.signal.reason);
      await assert.rejects(turn.watched(), { name: "AbortError" });
      await turn.end();

      const ended = await agent.startTurn();
      const closed = watching(ended.watched());
      await ended.end();
      await closed.over;
      assert.equal((closed.state.error as SessileError).code, "turn-closed");

      const taken = await agent.startTurn();
      const led = watching(taken.watched());
      await leadOf(page).takeOver({ turns: "cancel" });
      await led.over;
      assert.equal(led.state.error?.message, "cancelled by sue");
      await taken.end();

      await leadOf(page).handBack();
      const left = watching((await agent.startTurn()).watched());
      agent.close();
      await left.over;
      assert.equal((left.state.error as SessileError).code, "session-closed");
    });

    test("asks the session for nothing", async (t) => {
      const { session, agent, turn } = await begin();
      const sent: string[] = [];
      const { request, send } = agent.link;
      agent.link.request = (frame, more) => {
        sent.push(frame.type);
        return request.call(agent.link, frame, more) as never;
      };
      agent.link.send = (...frames) => {
        sent.push(...frames.map(({ type }) => type));
        return send.apply(agent.link, frames);
      };
      const { over } = watching(turn.watched());
      await enters(t, session);
      await over;
      assert.deepEqual(
        sent.filter((type) => type !== "turn.heartbeat"),
        [],
      );
      await turn.end();
    });
  });
}
