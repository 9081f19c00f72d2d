// P11.4: a session that misbehaved tells why, in the real runtime: what was replayed to whom, what
// was refused, and who was dropped.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { until } from "../support/wait.ts";

const MIB = 1024 * 1024;
const limits = {
  unsentBytes: 64 * MIB,
  clientUnsentBytes: 4 * MIB,
  textBytesPerSecond: 256 * MIB,
  frameBytes: MIB,
};
const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });

test("P11.4 a reader that resumed shows what it was brought, and what it was refused", async () => {
  const session = fixture.session();
  const { server } = fixture;
  const { client: writer } = await attach(server, session, { sub: "writer" });
  const first = await attach(server, session, { sub: "reader" });
  const since = await writer.publish("seen");
  await first.client.close();
  for (const data of ["a", "b", "c"]) await writer.publish(data);
  const query = { since };
  const { client: reader } = await attach(server, session, { sub: "reader", query });
  await reader.refused({ type: "turn.end", turn: "none", status: "complete" }, "not-found");
  await call(server, session, "POST", "/turns/none/end", { json: { status: "complete" } });
  const { serial, connections, traces } = await diagnostics(server, session);
  const { trace } = connections.find(({ client }) => client === "reader") ?? {};
  assert.deepEqual([trace?.resumed, trace?.frames], [true, 3]);
  assert.ok((trace?.attachedAt ?? 0) > 0 && (trace?.bytes ?? 0) > 300);
  assert.deepEqual(trace?.refused, { "not-found": 1 });
  assert.deepEqual(traces.refused, { "not-found": 2 });
  assert.deepEqual([traces.attached, traces.resumed], [3, 1]);
  const [gone] = traces.gone;
  assert.deepEqual([gone?.client, gone?.code, gone?.serial], ["reader", undefined, since]);
  assert.ok(since < serial);
  await reader.close();
  await server.evict(session);
  const asleep = await diagnostics(server, session);
  assert.equal(asleep.traces.attached, 0, "it is kept in memory only");
  assert.equal(asleep.serial, serial);
  await writer.close();
});

test("P11.4 a reader that was dropped shows by whom and where", async () => {
  const session = fixture.cutSession();
  const { server } = fixture;
  const writer = await connect(server, session, { sub: "writer", keep: false });
  const frozen = await connect(server, session, { sub: "frozen" });
  frozen.socket.stall();
  const data = "x".repeat(MIB - 4096);
  for (let count = 0; count < 10; count += 1) await writer.publish(data);
  const { traces } = await until(
    () => diagnostics(server, session),
    ({ traces }) => traces.gone.length > 0,
    "the frozen reader to be dropped",
  );
  assert.deepEqual([traces.gone[0]?.client, traces.gone[0]?.code], ["frozen", 4429]);
  assert.match(traces.gone[0]?.reason ?? "", /too slow/);
  assert.deepEqual(traces.closed, { "4429": 1 });
  frozen.cut();
  await writer.close();
});
