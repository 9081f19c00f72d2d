// Rows of a newer release, as after a roll-back: refused by name, and left as they are.

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { assertRefused, call, getHistory } from "../support/http.ts";
import type { Server } from "../support/server.ts";

const fixture = useServer();

async function setSchema(server: Server, session: string, schema: number): Promise<void> {
  const file = join(server.storage, `${await server.objectId(session)}.sqlite`);
  await server.kill9();
  const database = new DatabaseSync(file);
  database.exec(`UPDATE meta SET schema = ${schema}`);
  database.close();
  await server.start();
}

test("a session stored by a newer release is refused by name, and read again later", async () => {
  const { server } = fixture;
  const session = fixture.session();
  const writer = await connect(server, session, { sub: "writer" });
  await writer.publish("kept");
  const before = await server.query(session, "SELECT * FROM message");
  await setSchema(server, session, 99);
  for (const [method, path, options] of [
    ["GET", "/messages", {}],
    ["POST", "/messages", { json: { data: "lost?" } }],
    ["PATCH", "", { json: { settings: { title: "lost?" } } }],
    ["DELETE", "", {}],
  ] as const) {
    const answer = await call(server, session, method, path, options);
    const { message } = assertRefused(answer, 500, "internal");
    assert.match(message, /a newer release stored it, so nothing was done; deploy that release/);
  }
  await assert.rejects(connect(server, session), /500.*a newer release stored it/);
  assert.match(server.output.join(""), /its schema 99 is newer than \d/, "the log has the numbers");
  assert.deepEqual(await server.query(session, "SELECT * FROM message"), before);
  await setSchema(server, session, 1);
  const [message] = await getHistory(server, session);
  assert.equal(message?.data, "kept");
  await writer.close();
});
