// P15.3: the inputs of an agent that cannot be called are work in its inbox, whatever dies.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { inbox } from "../support/classes.ts";
import { connect } from "../support/client.ts";
import { rowsWritten, useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { agent, drive, end, settings, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

interface Work {
  id: string;
  session: string;
  input?: string;
  turn?: string;
  attempt?: number;
  at: number;
  gone?: boolean;
}

const fixture = useServer();
let bots = 0;

/** An agent's client that no other test has. */
function bot() {
  bots += 1;
  return { sub: `bot-${bots}`, caps: { "*": ["agent"] } };
}

async function worksIn(t: TestContext, who: { sub: string }, more = {}) {
  const session = fixture.session("work");
  await settings(fixture.server, session, { agent: { inbox: who.sub }, ...more });
  const user = await connect(fixture.server, session, USER);
  t.after(() => user.close());
  return { session, user };
}

async function work(who: object): Promise<Work[]> {
  const answer = await call(fixture.server, "", "GET", "/v1/inbox", who);
  assert.equal(answer.status, 200, answer.text);
  return (answer.body as { work: Work[] }).work;
}

/** Waits until the inbox lists these inputs, with the attempts that are to be made. */
async function lists(who: object, wanted: [string, number?][]): Promise<Work[]> {
  const text = JSON.stringify(wanted);
  const shown = (all: Work[]) =>
    JSON.stringify(all.map(({ input, attempt }) => (attempt ? [input, attempt] : [input])));
  return until(
    () => work(who),
    (all) => shown(all) === text,
    `the inbox lists ${text}`,
  );
}

test("P15.3 an input is work until its turn begins, and again after a loss", async (t) => {
  const who = bot();
  const { session, user } = await worksIn(t, who);
  const reader = await inbox.open(fixture.server, who.sub, { caps: who.caps });
  const told = async (is: (work: Work) => boolean) => {
    const frame = await reader.next((it) => {
      const { work } = it as unknown as { work?: Work };
      return it.type === "inbox.work" && work !== undefined && is(work);
    }, "a frame about it");
    return (frame as unknown as { work: Work }).work;
  };
  const input = await user.publish("hello");
  const first = await told((it) => it.input === input);
  assert.deepEqual(Object.keys(first).sort(), ["at", "id", "input", "session", "type"]);
  assert.equal(first.session, session);
  await lists(who, [[input]]);
  const leader = await agent(fixture.server, session, who);
  const { id: turn } = await start(leader, { input, leaseMs: 1_000 });
  assert.equal((await told(({ id }) => id === first.id)).gone, true);
  await leader.close();
  const again = await told(({ attempt }) => attempt === 2);
  assert.deepEqual([again.input, again.turn, again.session], [input, turn, session]);
  const second = await agent(fixture.server, session, who);
  await start(second, { id: turn, input });
  await end(second, turn);
  await lists(who, []);
  await second.close();
  await reader.close();
});

test("P15.3 queued inputs are work one at a time, in order", async (t) => {
  const who = bot();
  const { session, user } = await worksIn(t, who, { onInput: "queue" });
  const inputs: string[] = [];
  for (const text of ["one", "two", "three"]) inputs.push(await user.publish(text));
  const leader = await agent(fixture.server, session, who);
  for (const input of inputs) {
    const [item] = await until(
      () => work(who),
      ([it]) => it?.input === input,
      `${input} is next`,
    );
    const { id } = await start(leader, { input, ...(item?.turn && { id: item.turn }) });
    await lists(who, []);
    await end(leader, id);
  }
  await lists(who, []);
  await leader.close();
});

test("P15.3 work follows the setting, a person who leads, and a cancel", async (t) => {
  const [who, other] = [bot(), bot()];
  const { session, user } = await worksIn(t, who);
  const input = await user.publish("hello");
  await lists(who, [[input]]);
  await settings(fixture.server, session, { agent: { inbox: other.sub } });
  await lists(other, [[input]]);
  await lists(who, []);
  await settings(fixture.server, session, { agent: { inbox: who.sub } });
  await lists(who, [[input]]);
  await lists(other, []);
  const boss = { sub: "boss", caps: { "*": ["supervisor"] } };
  await call(fixture.server, session, "POST", "/lead", boss);
  await lists(who, []);
  await call(fixture.server, session, "POST", "/lead/return", boss);
  const [back] = await until(
    () => work(who),
    (all) => all.length === 1,
    "it is back",
  );
  assert.equal(back?.input, input);
  await user.ok({ type: "cancel", input });
  await lists(who, []);
});

test("P15.3 after kill -9 the inbox equals what the session owes", async (t) => {
  const who = bot();
  const { session } = await worksIn(t, who);
  const inputs: [string, number?][] = [];
  for (let round = 0; round < 4; round += 1) {
    const user = await connect(fixture.server, session, USER);
    inputs.push([await user.publish(`round ${round}`)]);
    await fixture.server.kill9();
    await fixture.server.start();
    await lists(who, inputs);
  }
  const leader = await agent(fixture.server, session, who);
  for (const [input] of inputs.splice(0)) {
    const { id } = await start(leader, { input });
    await drive(leader, "turn.end", id, { status: "complete" });
  }
  await fixture.server.kill9();
  await fixture.server.start();
  await lists(who, []);
});

test("P15.3 an input costs few rows more than one that wakes nobody", async (t) => {
  const who = bot();
  const { session, user } = await worksIn(t, who);
  const leader = await agent(fixture.server, session, who);
  /** Waits until the inbox was told of so many open turns. */
  const turns = (count: number) =>
    until(
      async () => {
        const { body } = await call(fixture.server, "", "GET", "/v1/sessions", who);
        const { sessions } = body as { sessions: { id: string; openTurns: number }[] };
        return sessions.find((it) => it.id === session)?.openTurns;
      },
      (open) => open === count,
      `the inbox to hear of ${count} turns`,
    );
  const exchange = async (isWork: boolean) => {
    const before = await rowsWritten(fixture.server, session);
    const input = await user.publish("hello");
    if (isWork) await lists(who, [[input]]);
    const { id } = await start(leader, { input });
    await turns(1);
    await end(leader, id);
    await turns(0);
    return (await rowsWritten(fixture.server, session)) - before;
  };
  await exchange(true);
  const work = await exchange(true);
  await settings(fixture.server, session, { agent: null });
  await exchange(false);
  const plain = await exchange(false);
  t.diagnostic(`${work} rows with work, ${plain} without`);
  assert.ok(work - plain <= 4, `${work} rows, and ${plain} without`);
  await leader.close();
});
