// P9.5: what a client has not read of each session, in its inbox.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inbox } from "../support/classes.ts";
import { type Client, connect } from "../support/client.ts";
import { diagnostics, useServer } from "../support/fixture.ts";
import { call, field } from "../support/http.ts";
import { USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();

interface Seen {
  id: string;
  unread?: number;
}

interface Frame {
  type: string;
  session?: Seen;
}

/** A session in which both have spoken, and what each has not read there. */
async function talk(name: string) {
  const session = fixture.session(name);
  const [ann, bob] = ["ann", "bob"].map((who) => ({ ...USER, sub: `${who}-${session}` }));
  assert.ok(ann && bob);
  const reader = await connect(fixture.server, session, ann);
  const writer = await connect(fixture.server, session, bob);
  await reader.publish("hello");
  const unread = async (who: object, query = "") => {
    const answer = await call(fixture.server, "", "GET", `/v1/inbox${query}`, who);
    const sessions = field(answer, "sessions") as Seen[];
    const found = sessions.find(({ id }) => id === session);
    return found && (found.unread ?? "none");
  };
  const shows = (who: object, wanted: number | "none", query?: string) =>
    until(
      () => unread(who, query),
      (seen) => seen === wanted,
      `${wanted} unread`,
    );
  return { session, ann, bob, reader, writer, shows };
}

/** Waits for the frame that says so much of a session. */
function hears(client: Client, session: string, wanted: number): Promise<unknown> {
  return client.next((frame) => {
    const { type, session: seen } = frame as unknown as Frame;
    return type === "inbox.session" && seen?.id === session && seen.unread === wanted;
  }, `${wanted} unread`);
}

test("P9.5 what is read on one device is read in the inbox of the other", async () => {
  const { session, ann, reader, writer, shows } = await talk("devices");
  const phone = await inbox.open(fixture.server, ann.sub);
  const first = await writer.publish("one");
  await hears(phone, session, 1);
  const { length } = (await Promise.all(["two", "three"].map((it) => writer.publish(it)))) as [];
  assert.equal(length, 2);
  await reader.ok({ type: "read", serial: first });
  await hears(phone, session, 2);
  const last = await writer.publish("four");
  await reader.ok({ type: "read", serial: last });
  await hears(phone, session, 0);
  await phone.close();
  const rows = async () => (await diagnostics(fixture.server, session)).rowsWritten;
  const next = await writer.publish("five");
  await shows(ann, 1);
  const before = await rows();
  await reader.ok({ type: "read", serial: next });
  await shows(ann, 0);
  assert.equal((await rows()) - before, 1, "a mark costs one row, its telling none");
});

test("P9.5 eviction and kill -9 lose no mark, and no telling of one", async () => {
  const { session, ann, bob, writer, shows } = await talk("killed");
  for (let round = 0; round < 3; round += 1) {
    const json = { data: `round ${round}` };
    const said = await call(fixture.server, session, "POST", "/messages", { ...bob, json });
    const last = (field(said, "messages") as { serial: string }[])[0]?.serial ?? "";
    const mark = { ...ann, json: { type: "read", serial: last } };
    const read = await call(fixture.server, session, "POST", "/frames", mark);
    assert.equal(read.status, 200, read.text);
    // The telling is still to come.
    await fixture.server.kill9();
    await fixture.server.start();
    await shows(ann, 0);
  }
  const writing = await connect(fixture.server, session, bob);
  await writing.publish("and one more");
  await shows(ann, 1);
  await writing.close();
  await writer.close().catch(() => undefined);
  await fixture.server.evict(session);
  await fixture.server.evict(`client:${ann.sub}`, "inbox");
  await shows(ann, 1);
});

test("P15.1 the inbox of a role has none; of both the client's own stands", async () => {
  const { session, ann, writer, shows } = await talk("roles");
  const asked = { json: { id: "a1", title: "Buy?", assignees: ["role:user"] } };
  const caps = { "*": ["agent"] };
  const answer = await call(fixture.server, session, "POST", "/approvals", {
    ...{ ...asked, sub: "bot", role: "agent", caps },
  });
  assert.equal(answer.status, 201, answer.text);
  await writer.publish("one");
  const both = { ...ann, role: "user" };
  await shows(both, 1);
  await shows(both, "none", "?role=user");
});
