// P6.13: a trace can be followed from a person's request to the agent's and back to the hooks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Endpoint } from "../support/endpoint.ts";
import { useServer } from "../support/fixture.ts";
import { call, field, getMessage } from "../support/http.ts";
import { AGENT, agent, getTurn, settings, USER } from "../support/turns.ts";

const fixture = useServer({
  vars: {
    SESSILE_LOCAL_TARGETS: "1",
    SESSILE_WEBHOOK_SECRETS: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  },
});
const endpoint = new Endpoint();
before(() => endpoint.start());
after(() => endpoint.stop());

const ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TWO = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

const post = (session: string, path: string, json: unknown, traceparent: string, who = USER) =>
  call(fixture.server, session, "POST", path, { ...who, json, headers: { traceparent } });

async function said(session: string, json: unknown, traceparent: string): Promise<string> {
  const answer = await post(session, "/messages", json, traceparent);
  assert.equal(answer.status, 201, answer.text);
  const [message] = field(answer, "messages") as { serial: string }[];
  return message?.serial ?? "";
}

test("P6.13 a request's trace reaches the agent, its turn, and the hooks", async () => {
  const { server } = fixture;
  const session = fixture.session();
  await settings(server, session, {
    agent: { url: endpoint.url("/agent") },
    hooks: [{ url: endpoint.url("/hook"), events: ["turn.end"] }],
  });
  const input = await said(session, { data: "hi" }, ONE);
  assert.deepEqual((await getMessage(server, session, input)).headers, { traceparent: ONE });
  const [wake] = await endpoint.called(session, 1);
  assert.equal(wake?.headers.traceparent, ONE);
  assert.equal(JSON.parse(wake?.body ?? "").traceparent, ONE);
  await server.evict(session);
  const client = await agent(server, session);
  const { turn } = await client.ok({ type: "turn.start", input });
  assert.equal((turn as { traceparent?: string }).traceparent, ONE);
  await client.ok({ type: "turn.end", turn: (turn as { id: string }).id, status: "complete" });
  const [, ended] = await endpoint.called(session, 2);
  assert.deepEqual([ended?.path, ended?.headers.traceparent], ["/hook", ONE]);
  await client.close();
});

test("P6.13 a turn that is started by a request has that request's trace", async () => {
  const { server } = fixture;
  const session = fixture.session();
  const input = await said(session, { data: "hi" }, ONE);
  const started = async (json: object, header: string) => {
    const answer = await post(session, "/turns", json, header, AGENT);
    assert.equal(answer.status, 201, answer.text);
    const { id } = field(answer, "turn") as { id: string };
    return ((await getTurn(server, session, id)) as { traceparent?: string }).traceparent;
  };
  assert.equal(await started({ input }, TWO), TWO, "rather than its input's");
  assert.equal(await started({ traceparent: ONE }, TWO), ONE, "unless it says one itself");
  assert.equal(await started({}, "00-no-trace-00"), undefined, "a malformed one is ignored");
  assert.equal(await started({}, TWO.toUpperCase()), undefined);
  const path = `/turns?traceparent=${TWO}`;
  const asked = await call(server, session, "POST", path, { ...AGENT, json: {} });
  assert.equal(asked.status, 201, asked.text);
  assert.equal((field(asked, "turn") as { traceparent?: string }).traceparent, undefined);
});

test("P6.13 only an input takes a request's trace", async () => {
  const session = fixture.session();
  const { server } = fixture;
  const own = await said(session, { data: "hi", headers: { traceparent: TWO, a: "b" } }, ONE);
  assert.deepEqual((await getMessage(server, session, own)).headers, { traceparent: TWO, a: "b" });
  const note = await said(session, { data: "hi", wake: false }, ONE);
  assert.equal((await getMessage(server, session, note)).headers, undefined);
  const answer = await post(session, "/messages", { data: "x", role: "assistant" }, ONE, AGENT);
  const [message] = field(answer, "messages") as { serial: string }[];
  assert.equal((await getMessage(server, session, message?.serial ?? "")).headers, undefined);
});
