// A session in which nothing was ever written keeps nothing over a restart (P1.2): whoever was
// there before and comes back takes what was said meanwhile as new.

import assert from "node:assert/strict";
import { test } from "node:test";
import { useServer } from "../../../tests/support/fixture.ts";
import { call } from "../../../tests/support/http.ts";
import { CuttingProxy } from "../../../tests/support/proxy.ts";
import { makeToken } from "../../../tests/support/token.ts";
import { until } from "../../../tests/support/wait.ts";
import { createAgentSession, overFetch, overSocket } from "../../src/agent/index.ts";
import { open, QUICK, shows } from "../support.ts";

const fixture = useServer();

async function say(session: string, data: string): Promise<void> {
  const json = { data };
  const { status, text } = await call(fixture.server, session, "POST", "/messages", { json });
  assert.equal(status, 201, text);
}

test("P1.2, P3.6 a page that wants nothing of before shows what came meanwhile", async (t) => {
  const session = fixture.cutSession();
  const wire = await CuttingProxy.start(fixture.server.port);
  t.after(() => wire.stop());
  const page = await open(t, wire, session, { sub: "alice", rewind: 0 });
  wire.unplug();
  await fixture.server.restart();
  await say(session, "while it was away");
  wire.plug();
  page.link.nudge();
  await shows(page, ({ messages }) => messages.length === 1, "what was said");
  await say(session, "after it");
  await shows(page, ({ messages }) => messages.length === 2, "what is said");
  assert.deepEqual(
    page.messages.map(({ data }) => data),
    ["while it was away", "after it"],
  );
});

for (const [name, link] of Object.entries({ "a WebSocket": overSocket, fetch: overFetch })) {
  test(`P1.2, P3.6 an agent over ${name} hears each input once, also of meanwhile`, async (t) => {
    const session = fixture.cutSession();
    const wire = await CuttingProxy.start(fixture.server.port);
    t.after(() => wire.stop());
    const heard: unknown[] = [];
    const agent = createAgentSession({
      ...{ url: wire.url, session, link, timing: QUICK },
      token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
      onInput: ({ data }) => heard.push(data),
    });
    t.after(() => agent.close());
    const isThere = () => agent.link.status.state === "connected";
    await until(isThere, Boolean, "the agent");
    wire.unplug();
    await fixture.server.restart();
    await say(session, "first");
    await say(session, "second");
    wire.plug();
    await until(
      () => heard.length,
      (length) => length >= 2,
      "what was said",
    );
    await until(isThere, Boolean, "the agent again");
    wire.cut();
    await say(session, "third");
    await until(
      () => heard.length,
      (length) => length >= 3,
      "what is said",
    );
    assert.deepEqual(heard, ["first", "second", "third"]);
  });
}
