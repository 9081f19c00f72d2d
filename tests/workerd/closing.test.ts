// P4.3, P5.1: the end of a message is told once, live and to whoever comes back.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { getMessage } from "../support/http.ts";
import { Reader } from "../support/reader.ts";

const fixture = useServer();

describe("the end of a message", () => {
  test("P5.1 comes with its headers, in one frame that every reader stands", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const [here, away] = [0, 1].map(() => new Reader(fixture.server, session));
    assert.ok(here && away);
    const serial = await agent.publish("Hel", { status: "streaming", headers: { part: "0" } });
    await Promise.all([here.attach(), away.attach()]);
    await away.cut();
    const headers = { part: "0", signature: "s".repeat(400) };
    const end = { type: "append", serial, data: "lo", seq: 1, status: "complete", headers };
    await agent.ok(end);
    await here.holdsStatus(serial, "complete");
    await fixture.server.evict(session);
    assert.equal((await agent.ok(end)).duplicate, true);
    await away.attach();
    const stored = await getMessage(fixture.server, session, serial);
    assert.deepEqual([stored.data, stored.headers], ["Hello", headers]);
    for (const { fold } of [here, away]) {
      const { data, status, headers: held } = fold.messages.get(serial) ?? {};
      assert.deepEqual(
        { data, status, held },
        { data: "Hello", status: "complete", held: headers },
      );
      assert.deepEqual(fold.violations, []);
    }
    await Promise.all([here.close(), away.close()]);
  });

  test("P4.3 may be a value in place of a text of many rows", async () => {
    const session = fixture.session();
    const agent = await connect(fixture.server, session, { sub: "agent" });
    const reader = new Reader(fixture.server, session);
    await reader.attach();
    const serial = await agent.publish("", { status: "streaming" });
    for (let seq = 1; seq <= 5; seq += 1) {
      await agent.ok({ type: "append", serial, data: "x".repeat(3000), seq });
    }
    const data = { city: "Oslo", places: ["x".repeat(5000)] };
    const end = { type: "update", serial, data, headers: { toolName: "find" }, seq: 6 };
    await agent.ok({ ...end, status: "complete" });
    await reader.holdsStatus(serial, "complete");
    await fixture.server.evict(session);
    assert.equal((await agent.ok({ ...end, status: "complete" })).duplicate, true);
    await agent.refused({ type: "append", serial, data: "x", seq: 7 }, "closed");
    const stored = await getMessage(fixture.server, session, serial);
    assert.deepEqual([stored.data, stored.seq, stored.status], [data, 6, "complete"]);
    assert.deepEqual(reader.fold.messages.get(serial)?.data, data);
    assert.deepEqual(reader.fold.violations, []);
    await reader.close();
  });
});
