// P14: a session that takes no more, by its own bound and by the database's: what needs room is
// refused, and nobody is disconnected for it.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { besides } from "../support/bystanders.ts";
import { connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { assertRefused, call, getHistory } from "../support/http.ts";
import { agent, answer, end, start, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const TEXT = "x".repeat(20_000);

describe("a session at its sessionBytes", () => {
  const limits = { sessionBytes: 512 * 1024 };
  const fixture = useServer({ vars: { SESSILE_LIMITS: JSON.stringify(limits) } });

  test("P14 refuses what would add to it; reads, ends and deletion go on", async () => {
    const [session, other] = [fixture.session("full"), fixture.session("other")];
    const attack = async (): Promise<void> => {
      const scribe = await agent(fixture.server, session);
      const turn = await start(scribe);
      const streams = await answer(scribe, turn.id);
      const user = await connect(fixture.server, session, USER);
      const serials: string[] = [];
      const publish = { type: "publish", messages: [{ data: TEXT }] };
      for (let refused = 0; refused < 3; ) {
        const answered = await user.request(publish);
        if (answered.type === "ack") serials.push(answered.result?.messages?.[0]?.serial ?? "");
        else refused += 1;
        if (answered.type === "nack") assert.equal(answered.error?.code, "over-limit");
        assert.ok(serials.length < 100, "it takes whatever comes");
      }
      const full = await diagnostics(fixture.server, session);
      for (let time = 0; time < 200; time += 1) await user.refused(publish, "over-limit");
      await scribe.refused({ type: "append", serial: streams, data: TEXT }, "over-limit");
      await scribe.refused({ type: "turn.start" }, "over-limit");
      const posted = await call(fixture.server, session, "POST", "/messages", {
        ...USER,
        json: { data: 1 },
      });
      assertRefused(posted, 429, "over-limit");
      const { rowsWritten, databaseBytes } = await diagnostics(fixture.server, session);
      assert.equal(rowsWritten, full.rowsWritten, "what is refused writes nothing");
      assert.ok(databaseBytes < 2 * limits.sessionBytes, `${databaseBytes} bytes`);
      assert.ok((await getHistory(fixture.server, session)).length > 10);
      await end(scribe, turn.id);
      for (const serial of serials) await user.ok({ type: "delete", serial });
      await until(
        () => user.request(publish),
        ({ type }) => type === "ack",
        "room after what was deleted",
      );
      for (const client of [scribe, user]) {
        assert.equal(client.isClosed, false);
        await client.close();
      }
    };
    await besides(fixture.server, session, other, attack, { isStreaming: false });
    const deleted = await call(fixture.server, session, "DELETE");
    assert.ok(deleted.status < 300, deleted.text);
  });
});

/** A text that finds no room. */
const BRIM = "to the brim";
/**
 * A full database's answer, from SQLite itself: a table whose last row has the largest possible id
 * takes no other, with the same error and the same rollback as on a full disk.
 */
const FILL = `
  CREATE TABLE brim(id INTEGER PRIMARY KEY AUTOINCREMENT, n);
  INSERT INTO brim VALUES(9223372036854775807, 0);
  CREATE TRIGGER brim_created AFTER INSERT ON message WHEN instr(new.data, '${BRIM}')
    BEGIN INSERT INTO brim(n) VALUES(1); END;
  CREATE TRIGGER brim_grown AFTER UPDATE ON message WHEN instr(new.data, '${BRIM}')
    BEGIN INSERT INTO brim(n) VALUES(1); END;
  CREATE TRIGGER brim_continued AFTER UPDATE ON segment WHEN instr(new.data, '${BRIM}')
    BEGIN INSERT INTO brim(n) VALUES(1); END`;

describe("a database that takes no more", () => {
  const fixture = useServer();

  test("P14 SQLITE_FULL is a refusal, and what was acknowledged stays", async () => {
    const [session, other] = [fixture.session("brimful"), fixture.session("other")];
    const begun = await connect(fixture.server, session, { sub: "early" });
    await begun.publish("before");
    await fixture.server.evict(session);
    const file = await fixture.server.databaseFile(session);
    assert.ok(file);
    const database = new DatabaseSync(file);
    database.exec(FILL);
    database.close();
    const attack = async (): Promise<void> => {
      const user = await connect(fixture.server, session, USER);
      const serial = await user.publish("text", { status: "streaming" });
      for (let time = 0; time < 20; time += 1) {
        const messages = [{ data: `beside ${time}` }, { data: BRIM }];
        await user.refused({ type: "publish", messages }, "over-limit");
        const update = { type: "update", serial: begun.inbox.at(0)?.message?.serial, data: BRIM };
        await begun.refused(update, "over-limit");
        await user.refused({ type: "append", serial, data: BRIM }, "over-limit");
        await user.ok({ type: "append", serial, data: "." });
      }
      const posted = await call(fixture.server, session, "POST", "/messages", {
        ...USER,
        json: { data: BRIM },
      });
      assertRefused(posted, 429, "over-limit");
      const said = (await getHistory(fixture.server, session)).map(({ data }) => data);
      assert.deepEqual(
        said.filter((data) => !/^\.+$/.test(String(data))),
        ["before", `text${".".repeat(20)}`],
      );
      assert.equal(user.isClosed || begun.isClosed, false, "nobody is disconnected");
      await user.close();
    };
    // An append that waits to be stored is refused with whatever finds no room (P14).
    await besides(fixture.server, session, other, attack, { isStreaming: false });
    await begun.close();
  });
});
