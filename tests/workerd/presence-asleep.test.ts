// Members whose sockets end while nobody keeps the session awake (P7.2).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { Reader } from "../support/reader.ts";
import { getPresence } from "../support/turns.ts";

const fixture = useServer();

async function evict(session: string): Promise<void> {
  assert.equal(await fixture.server.evict(session), true, "there was something to evict");
}

describe("a member leaves a session that sleeps", () => {
  for (const how of ["cut", "close"] as const) {
    test(`P7.2 its socket is gone (${how}): everybody sees it leave`, async () => {
      const session = fixture.session();
      const reader = new Reader(fixture.server, session, { sub: "reader" });
      await reader.attach();
      const ann = await connect(fixture.server, session, { sub: "ann" });
      await ann.ok({ type: "presence.set", data: { typing: true } });
      await reader.holds((fold) => fold.members.size === 1, "a member");
      await evict(session);
      await (how === "cut" ? ann.cut() : ann.close());
      await reader.holds((fold) => fold.members.size === 0, "nobody");
      assert.deepEqual(await getPresence(fixture.server, session), []);
      reader.fold.assertSound();
    });
  }

  test("P7.2 several at once", async () => {
    const session = fixture.session();
    const reader = new Reader(fixture.server, session, { sub: "reader" });
    await reader.attach();
    const clients = await Promise.all(
      ["a", "b", "c", "d", "e"].map((sub) => connect(fixture.server, session, { sub })),
    );
    for (const client of clients) await client.ok({ type: "presence.set" });
    await reader.holds((fold) => fold.members.size === clients.length, "five members");
    await evict(session);
    for (const client of clients) client.cut();
    await reader.holds((fold) => fold.members.size === 0, "nobody");
    assert.deepEqual(await getPresence(fixture.server, session), []);
    reader.fold.assertSound();
  });
});
