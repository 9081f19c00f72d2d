// A cold reader of a long session: the last messages with one request, the others on demand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../../tests/support/client.ts";
import { useServer } from "../../../tests/support/fixture.ts";
import { historyOf } from "../../src/index.ts";
import { assertSame, history, open, shows } from "../support.ts";

const fixture = useServer();

test("P3.9 of 1,000 messages 50 at first, then exactly as many as asked for", async (t) => {
  const name = fixture.session();
  const writer = await connect(fixture.server, name, { sub: "writer" });
  for (let first = 0; first < 1000; first += 100) {
    const messages = Array.from({ length: 100 }, (_, index) => ({ data: first + index }));
    await writer.ok({ type: "publish", messages });
  }
  const requests: string[] = [];
  const counted: typeof fetch = (url, init) => {
    requests.push(String(url));
    return fetch(url, init);
  };
  const session = await open(t, fixture.server, name, { fetch: counted });
  assert.equal(session.messages.length, 50);
  assert.equal(session.hasOlder, true);
  assert.deepEqual(requests, [], "nothing but the connection");
  let most = 0;
  session.subscribe(() => {
    most = Math.max(most, session.messages.length);
  });
  // A second call while one is on its way is the same one; live messages come in between.
  const loading = [historyOf(session).loadOlder(30), historyOf(session).loadOlder(30)];
  assert.equal(historyOf(session).value, true);
  await writer.publish("live");
  assert.deepEqual(await Promise.all(loading), [30, 30]);
  assert.equal(requests.length, 1);
  await shows(session, ({ messages }) => messages.length === 81, "30 older and one new");
  assert.equal(await historyOf(session).loadOlder(400), 400);
  assert.equal(await historyOf(session).loadOlder(10_000), 520);
  assert.equal(session.hasOlder, false);
  assert.equal(await historyOf(session).loadOlder(10), 0);
  assert.equal(historyOf(session).value, false);
  assertSame(session.log, await history(fixture.server, name));
  assert.equal(session.messages.length, 1001);
});

test("P3.3 with names, only messages of these names are there, and paged", async (t) => {
  const name = fixture.session();
  const writer = await connect(fixture.server, name, { sub: "writer" });
  for (let first = 0; first < 300; first += 100) {
    const messages = Array.from({ length: 100 }, (_, index) => ({
      data: first + index,
      name: index % 10 === 0 ? "answer" : "progress",
    }));
    await writer.ok({ type: "publish", messages });
  }
  const session = await open(t, fixture.server, name, { names: ["answer"], rewind: 5 });
  assert.equal(session.messages.length, 5);
  assert.equal(await historyOf(session).loadOlder(7), 7);
  assert.deepEqual(
    session.messages.map(({ data }) => data),
    [180, 190, 200, 210, 220, 230, 240, 250, 260, 270, 280, 290],
  );
  await writer.publish("not this", { name: "progress" });
  await writer.publish("this", { name: "answer" });
  await shows(session, ({ messages }) => messages.at(-1)?.data === "this", "one that is followed");
  assert.equal(session.messages.length, 13);
});
