// P9.1, P9.2, P9.4: the shared state in the real runtime, over cuts, eviction and `kill -9`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, type Client, connect } from "../support/client.ts";
import { rowsWritten, useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
import { assertRefused, call, field } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { AGENT, USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const ADMIN = { sub: "admin", caps: { "*": ["admin"] } };
const fixture = useServer();

type Tree = { [key: string]: unknown };
type Op = { op: string; path: string[]; value?: unknown };

const set = (path: string[], value: unknown) => ({ op: "set", path, value });
const increment = (path: string[], by = 1) => ({ op: "increment", path, by });

async function read(session: string, query = ""): Promise<{ value: Tree; version: string }> {
  const answer = await call(fixture.server, session, "GET", `/state${query}`, USER);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as { value: Tree; version: string };
}

/** The tree as a reader folds it from its frames. */
class Fold {
  tree: Tree = {};

  take(frame: Frame): void {
    const { type, state, ops, resumed } = frame as unknown as {
      type: string;
      state?: { value: Tree };
      ops: Op[];
      resumed?: boolean;
    };
    if (type === "attached" && resumed === false) this.tree = {};
    if (type === "attached" && state) this.tree = state.value;
    if (type === "state.change") for (const op of ops) this.#apply(op);
  }

  #apply({ op, path, value }: Op): void {
    const last = path.at(-1);
    if (last === undefined) {
      this.tree = value as Tree;
      return;
    }
    let node = this.tree;
    for (const key of path.slice(0, -1)) {
      node[key] ??= {};
      node = node[key] as Tree;
    }
    if (op === "set") node[last] = value;
    else delete node[last];
  }
}

/** Increments a counter so often, each change until it is acknowledged, over cut connections. */
async function count(session: string, index: number, times: number): Promise<void> {
  const random = new Random();
  const as = { ...USER, sub: `u${index}` };
  let client: Client | undefined;
  for (let done = 0; done < times; ) {
    client ??= await connect(fixture.server, session, as);
    const { socket } = client;
    const flight = Math.min(times - done, 10);
    const frames = Array.from({ length: flight }, (_, at) => ({
      type: "state",
      id: `i${done + at}`,
      ops: [increment(["sum"]), increment(["by", `u${index}`])],
    }));
    if (random.below(4) === 0) {
      // Cut with changes in flight: some of them are taken, and none is taken twice.
      for (const frame of frames) client.send(frame);
      await new Promise((resolve) => setTimeout(resolve, random.below(5)));
      socket.cut();
      client = undefined;
      continue;
    }
    const sender: Client = client;
    await Promise.all(frames.map((frame) => sender.ok(frame)));
    done += flight;
  }
  client?.cut();
}

test("P9.1 fifty clients count to 5 000 over cuts, and everybody agrees", async () => {
  const session = fixture.cutSession();
  const fold = new Fold();
  const reader = await attach(fixture.server, session, { ...USER, sub: "reader" });
  fold.take(reader.attached);
  reader.client.onFrames = (frames) => {
    for (const frame of frames) fold.take(frame);
  };
  await Promise.all(Array.from({ length: 50 }, (_, index) => count(session, index, 100)));
  const { value } = await read(session);
  assert.equal(value.sum, 5_000);
  const by = value.by as Record<string, number>;
  assert.deepEqual(new Set(Object.values(by)), new Set([100]));
  await until(
    () => fold.tree,
    (tree) => tree.sum === 5_000,
    "the reader has seen every change",
  );
  assert.deepEqual(fold.tree, value);
  reader.client.cut();
});

test("P9.1 acknowledged changes outlive kill -9 and eviction", async () => {
  const session = fixture.session();
  const { server } = fixture;
  let client = await connect(server, session, AGENT);
  for (let round = 0; round < 3; round += 1) {
    for (let at = 0; at < 30; at += 1) {
      await client.ok({ type: "state", ops: [increment(["n"])], id: `${round}-${at}` });
    }
    await server.kill9();
    await server.start();
    client = await connect(server, session, AGENT);
    // An operation that was taken before is not taken again.
    const again = await client.ok({ type: "state", ops: [increment(["n"])], id: `${round}-29` });
    assert.equal((again as { duplicate?: boolean }).duplicate, true);
    assert.equal((await read(session)).value.n, (round + 1) * 30);
  }
  await client.close();
  await server.evict(session);
  assert.equal((await read(session, "?path=n")).value, 90);
  assertRefused(await call(server, session, "GET", "/state?path=m", USER), 404, "not-found");
});

test("P9.2 a tree of 1 MiB costs a row a change, and comes first to whoever joins", async () => {
  const session = fixture.session();
  const { server } = fixture;
  const agent = await connect(server, session, AGENT);
  const part = "x".repeat(200_000);
  for (let at = 0; at < 5; at += 1) {
    await agent.ok({ type: "state", ops: [set(["big", `p${at}`], part)] });
  }
  const resumed = await attach(server, session, { ...USER, sub: "resumed" });
  const place = (resumed.caughtUp as { serial?: string }).serial as string;
  await resumed.client.close();
  const before = await rowsWritten(server, session);
  for (let at = 0; at < 100; at += 1) await agent.ok({ type: "state", ops: [increment(["n"])] });
  const rows = (await rowsWritten(server, session)) - before;
  assert.ok(rows <= 110, `${rows} rows for a hundred changes`);
  await agent.close();
  await server.evict(session);
  const late = await attach(server, session, { ...USER, sub: "late" });
  assert.equal(late.attached.resumed, false);
  assert.equal((late.attached as { state?: unknown }).state, undefined, "it is too long for that");
  const [first] = late.client.inbox;
  assert.ok(first);
  const fold = new Fold();
  fold.take(late.attached);
  fold.take(first);
  assert.deepEqual(fold.tree, (await read(session)).value);
  const back = await attach(server, session, {
    ...USER,
    sub: "resumed",
    query: { since: place },
  });
  assert.equal(back.attached.resumed, true);
  const [missed, ...others] = back.client.inbox as unknown as { ops: Op[] }[];
  assert.deepEqual(others, []);
  assert.deepEqual(missed?.ops.at(-1), set(["n"], 100));
  assert.equal(missed?.ops.length, 100, "the changes are smaller than the tree");
  await Promise.all([late.client.close(), back.client.close()]);
});

test("P9.4 the schema is kept in the real runtime", async () => {
  const session = fixture.session();
  const { server } = fixture;
  const stateSchema = {
    type: "object",
    properties: { nights: { type: "integer", minimum: 0, maximum: 30 } },
    additionalProperties: false,
  };
  const patch = (json: object) => call(server, session, "PATCH", "", { ...ADMIN, json });
  assert.equal((await patch({ settings: { stateSchema } })).status, 200);
  const client = await connect(server, session, USER);
  await client.ok({ type: "state", ops: [set(["nights"], 30)] });
  const error = await client.refused(
    { type: "state", ops: [set(["nights"], 1), increment(["nights"], 30)] },
    "invalid-state",
  );
  const { breaches } = error as unknown as { breaches: { path: string; reason: string }[] };
  assert.equal(breaches[0]?.path, "/nights");
  await client.refused({ type: "state", ops: [set(["days"], 1)] }, "invalid-state");
  assert.deepEqual((await read(session)).value, { nights: 30 });
  const broken = await patch({ settings: { stateSchema: { required: ["days"] } } });
  assertRefused(broken, 400, "invalid-state");
  const body = await call(server, session, "PATCH", "/state", {
    ...USER,
    json: [increment(["nights"], -30)],
  });
  assert.equal(body.status, 200, body.text);
  assert.equal(typeof field(body, "serial"), "string");
  await client.close();
});
