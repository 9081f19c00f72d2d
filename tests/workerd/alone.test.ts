// P13.6: what one frame makes alone stays near `effectBytes`, in whatever characters it is told.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { besides } from "../support/bystanders.ts";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { agent, start, USER } from "../support/turns.ts";

const MIB = 1024 * 1024;
/** Six bytes of JSON for each. */
const CONTROL = "\u0001";
const QUICK = { framesPerSecond: 1e6, framesBurst: 1e6, textBytesPerSecond: 1e9 };
const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(QUICK) } });

describe("one frame", () => {
  test("P13.6 a cancel of all turns makes no more than a few MiB", async () => {
    const [session, other] = [fixture.session("cancelled"), fixture.session("other")];
    await besides(fixture.server, session, other, async () => {
      const scribe = await agent(fixture.server, session, { keep: false });
      const user = await connect(fixture.server, session, { ...USER, keep: false });
      // As long as a reason may be as JSON.
      const reason = CONTROL.repeat(650);
      for (let turn = 0; turn < 100; turn += 1) {
        const { id } = await start(scribe, {
          leaseMs: 600_000,
          metadata: { m: CONTROL.repeat(650) },
        });
        for (let steer = 0; steer < 10; steer += 1) {
          await user.ok({ type: "steer", turn: id, data: "faster" });
        }
        await scribe.ok({ type: "turn.suspend", turn: id, reason });
      }
      const reader = await connect(fixture.server, session, { sub: "counts", keep: false });
      const before = reader.bytes;
      await user.ok({ type: "cancel", all: true, reason });
      await reader.publish("after it");
      assert.ok(reader.bytes - before < 5 * MIB, `${reader.bytes - before} bytes for each reader`);
      for (const client of [scribe, user, reader]) await client.close();
    });
  });

  test("P3.9 a page of history ends at 1 MiB, as it is sent", async () => {
    const session = fixture.session("page");
    const writer = await agent(fixture.server, session, { keep: false });
    for (let count = 0; count < 30; count += 1) await writer.publish(CONTROL.repeat(40_000));
    const page = await call(fixture.server, session, "GET", "/messages?limit=1000");
    assert.ok(page.text.length < 1.5 * MIB, `a page of ${page.text.length} bytes`);
    const snapshot = await call(fixture.server, session, "GET", "?rewind=1000");
    assert.ok(snapshot.text.length < 1.5 * MIB, `a snapshot of ${snapshot.text.length} bytes`);
  });
});
