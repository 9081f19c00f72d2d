// A feature of a session is begun once, hears of everything, and changes nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession, type Engine, type Feature, presenceOf } from "../../src/index.ts";

/** A session that nothing answers. */
function session(read: typeof fetch = fetch) {
  class Silent {
    static last: Silent | undefined;
    onmessage: ((event: { data: string }) => void) | undefined;
    constructor() {
      Silent.last = this;
    }
    send(): void {}
    close(): void {}
  }
  const made = createSession({
    ...{ url: "https://example.com", session: "s", token: "e30.e30.x", fetch: read },
    WebSocket: Silent as unknown as typeof WebSocket,
  });
  const hear = (...frames: object[]) => Silent.last?.onmessage?.({ data: JSON.stringify(frames) });
  return { made, hear };
}

const ATTACHED = {
  ...{ type: "attached", protocol: 1, session: "s", client: "ann", connection: "c", serial: "" },
  ...{ expiresAt: Date.now() + 3_600_000, at: Date.now(), resumed: false, hasOlder: false },
  ...{ turns: [], presence: [] },
};

const member = (client: string, connection: string) => {
  return { type: "presence.enter", member: { client, connection, role: "user", since: 1 } };
};

test("it is begun once, and its value changes the snapshot and nothing else in it", () => {
  const { made } = session();
  made.send("waits");
  const before = made.getSnapshot();
  let engine: Engine | undefined;
  const counter = { value: 0 };
  const begin = (given: Engine): Feature => {
    engine = given;
    return counter;
  };
  assert.equal(made.feature(begin), counter);
  const first = made.getSnapshot();
  assert.equal(made.feature(begin), counter);
  assert.equal(made.getSnapshot(), first, "asking again changes nothing");
  assert.equal(first.messages, before.messages);
  assert.equal(first.features.get(counter), 0);
  let changes = 0;
  made.subscribe(() => {
    changes += 1;
  });
  counter.value = 1;
  engine?.changed();
  assert.equal(changes, 1);
  assert.equal(made.getSnapshot().features.get(counter), 1);
  assert.equal(made.getSnapshot().messages, before.messages, "one that waits is there, too");
  assert.equal(first.features.get(counter), 0, "a snapshot is never changed");
});

test("it hears of `attached`, of each frame, and of the connection, in their order", async () => {
  const { made, hear } = session();
  const heard: string[] = [];
  made.feature(() => ({
    attached: ({ type }) => heard.push(type),
    take: ({ type }, log) => heard.push(`${type}, ${log.messages.length} messages`),
    status: ({ state }) => heard.push(state),
  }));
  made.connect();
  await new Promise((done) => setTimeout(done));
  hear(ATTACHED, { type: "caught-up", serial: "" });
  const times = { version: "01", createdAt: 1, updatedAt: 1, role: "user", name: "message" };
  hear({ type: "message.create", message: { serial: "01", client: "bob", data: "x", ...times } });
  made.close();
  assert.deepEqual(heard, [
    "connecting",
    "attached",
    "attached, 0 messages",
    "caught-up, 0 messages",
    "connected",
    "message.create, 1 messages",
    "idle",
  ]);
});

test("presence that is begun late reads who is there, and loses nothing", async () => {
  let give = (_: Response) => {};
  const list = new Promise<Response>((done) => {
    give = done;
  });
  const { made, hear } = session(() => list);
  made.connect();
  await new Promise((done) => setTimeout(done));
  hear(ATTACHED, { type: "caught-up", serial: "" }, member("ann", "c1"));
  const presence = presenceOf(made);
  assert.equal(presence.count, 0, "what came before is read");
  hear(member("bob", "c2"));
  hear({ ...member("cat", "c3"), type: "presence.leave" });
  const changed = new Promise<void>((done) => void made.subscribe(done));
  give(Response.json({ presence: [member("ann", "c1").member, member("cat", "c3").member] }));
  await changed;
  assert.deepEqual(
    presence.members.map(({ client }) => client),
    ["ann", "bob"],
  );
  assert.equal(presenceOf(made), presence);
  made.close();
});
