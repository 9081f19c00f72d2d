// P10.4: a back end hears of a session's events, in order, over outages and `kill -9`.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { broken, Endpoint, taken } from "../support/endpoint.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { AGENT, agent, drive, settings, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const BOSS = { sub: "boss", caps: { "*": ["supervisor"] } };
const fixture = useServer({
  vars: { SESSILE_LOCAL_TARGETS: "1", SESSILE_WEBHOOK_SECRETS: SECRET },
});
const endpoint = new Endpoint();
before(() => endpoint.start());
afterEach(() => {
  endpoint.answer = taken;
});
after(() => endpoint.stop());

interface Body {
  type: string;
  id: string;
  turn?: string;
  approval?: string;
  lead?: string;
}

/** The events told of a session, each id once, verified by a library that is not ours. */
async function heard(session: string, count: number): Promise<Body[]> {
  const told = () => {
    const bodies = endpoint.about(session).map(({ body, headers }) => {
      return new Webhook(SECRET).verify(body, headers) as Body;
    });
    return [...new Map(bodies.map((body) => [body.id, body])).values()];
  };
  return until(told, (bodies) => count <= bodies.length, `${count} events of ${session}`);
}

const brief = ({ type, turn, approval, lead }: Body) => [type, turn ?? approval ?? lead];
const post = (session: string, path: string, as: typeof USER, json: object) =>
  call(fixture.server, session, "POST", path, { ...as, json });

async function hook(session: string, events?: string[]): Promise<void> {
  await settings(fixture.server, session, { hooks: [{ url: endpoint.url(), events }] });
}

describe("a hook", () => {
  test("P10.4 hears of turns, approvals and leads, in order and with ids alone", async () => {
    const session = fixture.session();
    await hook(session);
    const leader = await agent(fixture.server, session);
    const { id: turn } = await start(leader, { id: "t1" });
    await leader.ok({ type: "approval.request", id: "a1", turn, title: "a secret" });
    const decided = await post(session, "/approvals/a1/decide", USER, { decision: "approve" });
    assert.equal(decided.status, 200, decided.text);
    await post(session, "/lead", BOSS, { note: "a secret" });
    await post(session, "/lead/return", BOSS, {});
    await drive(leader, "turn.end", turn, { status: "complete" });
    const told = await heard(session, 6);
    assert.deepEqual(told.map(brief), [
      ["session.start", undefined],
      ["approval.request", "t1"],
      ["approval.settle", "t1"],
      ["lead.change", "boss"],
      ["lead.change", undefined],
      ["turn.end", "t1"],
    ]);
    assert.ok(!JSON.stringify(told).includes("a secret"));
  });

  test("P10.4 gets what it missed, in order, after an outage and kill -9", async () => {
    const session = fixture.session();
    const { server } = fixture;
    endpoint.answer = broken;
    await hook(session, ["approval.request", "approval.settle"]);
    for (const id of ["a1", "a2", "a3"]) {
      assert.equal((await post(session, "/approvals", AGENT, { id, title: "?" })).status, 201);
    }
    await endpoint.called(session, 1);
    await server.restart();
    await post(session, "/approvals/a2/decide", USER, { decision: "reject" });
    endpoint.answer = taken;
    const told = await heard(session, 4);
    assert.deepEqual(
      told.map(({ type, approval }) => [type, approval]),
      [
        ["approval.request", "a1"],
        ["approval.request", "a2"],
        ["approval.request", "a3"],
        ["approval.settle", "a2"],
      ],
    );
  });

  test("P10.4, P6.8 hears that an agent is lost, with nobody there", async () => {
    const session = fixture.session();
    const { server } = fixture;
    await hook(session, ["turn.lost", "turn.end"]);
    const leader = await agent(server, session);
    await start(leader, { id: "t1", leaseMs: 1_000 });
    await server.kill9();
    await server.start();
    const told = await heard(session, 2);
    assert.deepEqual(told.map(brief), [
      ["turn.lost", "t1"],
      ["turn.end", "t1"],
    ]);
  });

  test("P10.4 costs a row for each event that it hears, and nothing for others", async () => {
    const session = fixture.session();
    const rows = async () => (await diagnostics(fixture.server, session)).rowsWritten;
    const ask = async (id: string) => {
      const before = await rows();
      await post(session, "/approvals", AGENT, { id, title: "?" });
      return (await rows()) - before;
    };
    /** Without the rows of what came before: inboxes that are told, attempts of deliveries. */
    const least = async (...ids: string[]) => {
      const all: number[] = [];
      for (const id of ids) all.push(await ask(id));
      return Math.min(...all);
    };
    await hook(session, ["session.delete"]);
    const usual = await least("a0", "a1", "a2", "a3");
    endpoint.answer = broken;
    await hook(session, ["approval.request"]);
    const heardOne = await least("a4", "a5", "a6", "a7");
    // The row of the delivery; those of attempts may be among it.
    assert.ok(usual < heardOne && heardOne <= usual + 2, `${usual} and ${heardOne} rows`);
    endpoint.answer = taken;
    await heard(session, 2);
  });
});
