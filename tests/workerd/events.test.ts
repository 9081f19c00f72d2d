// P3.8: the log over Server-Sent Events.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../support/client.ts";
import { openEvents } from "../support/events.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();

describe("SSE", () => {
  test("P3.8 ids stand only where the position moves", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const first = await writer.publish("one");
    const events = await openEvents(fixture.server, session);
    assert.equal(events.status, 200);
    assert.match(events.contentType, /^text\/event-stream/);
    const attached = await events.next(() => true);
    assert.deepEqual([attached.frame.type, attached.id], ["attached", undefined]);
    const replayed = await events.next(() => true);
    assert.deepEqual([replayed.frame.type, replayed.id], ["message.create", undefined]);
    const caughtUp = await events.next(() => true);
    assert.deepEqual([caughtUp.frame.type, caughtUp.id], ["caught-up", first]);
    const { messages } = await writer.ok({
      type: "publish",
      messages: [{ data: "two" }, { data: "three" }],
    });
    const two = await events.next("message.create");
    const three = await events.next("message.create");
    assert.equal(three.id, messages?.[1]?.serial, "the last event of an array has the position");
    assert.ok(two.id === undefined || two.id === messages?.[0]?.serial);
    await writer.ok({ type: "signal", name: "ping", data: 1 });
    assert.equal((await events.next("signal")).id, undefined);
    events.cut();
  });

  test("P3.8 since and Last-Event-ID resume; the header wins", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const serials = [];
    for (const data of ["one", "two", "three"]) serials.push(await writer.publish(data));
    const read = async (options: Parameters<typeof openEvents>[2]): Promise<unknown[]> => {
      const events = await openEvents(fixture.server, session, options);
      await events.next("caught-up");
      events.cut();
      return events.inbox.flatMap(({ frame }) => (frame.message ? [frame.message.data] : []));
    };
    assert.deepEqual(await read({ query: { since: serials[0] ?? "" } }), ["two", "three"]);
    assert.deepEqual(await read({ lastEventId: serials[1] ?? "" }), ["three"]);
    const both = { query: { since: serials[0] ?? "" }, lastEventId: serials[1] ?? "" };
    assert.deepEqual(await read(both), ["three"]);
    assert.deepEqual(await read({ query: { rewind: 1 } }), ["three"]);
    assert.deepEqual(await read({ query: { names: "other" } }), []);
  });

  test("P3.8 text with line ends and separators is one event's data", async () => {
    const session = fixture.session();
    const writer = await connect(fixture.server, session);
    const events = await openEvents(fixture.server, session);
    await events.next("caught-up");
    const data = "a\nb\r\nc\rd\n\ne\u2028f\u2029g\n\nid: evil\n\ndata: {}\n\n";
    await writer.publish(data);
    assert.equal((await events.next("message.create")).frame.message?.data, data);
    events.cut();
  });

  test("P3.8 a reader that left is noticed", async () => {
    const session = fixture.session();
    const events = await openEvents(fixture.server, session, { sub: "gone" });
    await events.next("caught-up");
    const clients = async () =>
      (await diagnostics(fixture.server, session)).connections.map((c) => c.client);
    assert.deepEqual(await clients(), ["gone"]);
    events.cut();
    const writer = await connect(fixture.server, session, { sub: "writer" });
    const afterFrame = async () => {
      // A closed reader is noticed when something is sent to it.
      await writer.publish("is anybody there?");
      return clients();
    };
    const isAlone = (list: string[]) => !list.includes("gone");
    await until(afterFrame, isAlone, "the reader's leaving to be noticed");
  });
});
