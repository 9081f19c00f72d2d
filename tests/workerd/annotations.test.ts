// P9.3, P9.5: annotations and read marks in the real runtime, against a model.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, type Client, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call, field, getMessage } from "../support/http.ts";
import { Random } from "../support/random.ts";
import { USER } from "../support/turns.ts";
import { until } from "../support/wait.ts";

const fixture = useServer();

type Sums = Record<string, Record<string, { total: number; clients: Record<string, number> }>>;

const NAMES = ["up", "down", "heart"];

/** A model: who has which names, by kind: too simple to be wrong. */
class Model {
  readonly distinct = new Map<string, Set<string>>();
  readonly unique = new Map<string, string>();

  sums(): Sums {
    const sums: Sums = {};
    const add = (kind: string, name: string, client: string) => {
      sums[kind] ??= {};
      sums[kind][name] ??= { total: 0, clients: {} };
      const sum = sums[kind][name];
      sum.total += 1;
      sum.clients[client] = 1;
    };
    for (const [client, names] of this.distinct) {
      for (const name of names) add("like:distinct", name, client);
    }
    for (const [client, name] of this.unique) add("vote:unique", name, client);
    return sums;
  }
}

test("P9.3 a hundred clients react, switch and withdraw: sums equal a model's", async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const session = fixture.session("sums");
  const { server } = fixture;
  const reader = await attach(server, session, { ...USER, sub: "reader" });
  const author = await connect(server, session, { ...USER, sub: "author" });
  const serial = await author.publish("what do you think?");
  let live: Sums = {};
  reader.client.onFrames = (frames) => {
    for (const frame of frames) {
      if (frame.type === "message.summary") {
        live = (frame as unknown as { annotations: Sums }).annotations;
      }
    }
  };
  const model = new Model();
  const stored = async (): Promise<Sums> => {
    const message = await getMessage(server, session, serial);
    return ((message as { annotations?: Sums }).annotations ?? {}) as Sums;
  };
  const act = async (client: Client, sub: string): Promise<void> => {
    const name = NAMES[random.below(NAMES.length)] as string;
    if (random.below(2) === 0) {
      const own = model.distinct.get(sub) ?? new Set();
      model.distinct.set(sub, own);
      const isThere = own.has(name);
      if (isThere) own.delete(name);
      else own.add(name);
      const type = isThere ? "unannotate" : "annotate";
      await client.ok({ type, serial, kind: "like:distinct", name });
    } else if (random.below(3) === 0) {
      model.unique.delete(sub);
      await client.ok({ type: "unannotate", serial, kind: "vote:unique" });
    } else {
      model.unique.set(sub, name);
      await client.ok({ type: "annotate", serial, kind: "vote:unique", name });
    }
  };
  for (let round = 0; round < 3; round += 1) {
    const subs = Array.from({ length: 100 }, (_, index) => `c${index}`);
    await Promise.all(
      subs.map(async (sub) => {
        const client = await connect(server, session, { ...USER, sub });
        for (let step = 0; step < 6; step += 1) await act(client, sub);
        await client.close();
      }),
    );
    const expected = model.sums();
    assert.deepEqual(await stored(), expected);
    await until(
      () => JSON.stringify(live),
      () => isEqual(live, expected),
      "the reader has the sums",
    );
    if (round === 0) {
      await reader.client.close();
      await author.close();
      await server.evict(session);
      const again = await attach(server, session, { ...USER, sub: "reader" });
      reader.client = again.client;
      again.client.onFrames = (frames) => {
        for (const frame of frames) {
          if (frame.type === "message.summary") {
            live = (frame as unknown as { annotations: Sums }).annotations;
          }
        }
      };
    } else if (round === 1) {
      await server.kill9();
      await server.start();
      assert.deepEqual(await stored(), expected, "they outlive kill -9");
      break;
    }
  }
  const resumed = await attach(server, session, { ...USER, sub: "late" });
  const created = resumed.client.inbox.find((frame) => frame.type === "message.create");
  const shown = (created as unknown as { message: { annotations: Sums } }).message.annotations;
  assert.deepEqual(shown, model.sums());
  await resumed.client.close();
});

function isEqual(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}

test("P9.3 annotations are paged, and go with their message", async () => {
  const session = fixture.session("pages");
  const { server } = fixture;
  const client = await connect(server, session, USER);
  const serial = await client.publish("cited");
  for (let page = 0; page < 25; page += 1) {
    const kind = "cite:multiple";
    await client.ok({ type: "annotate", serial, kind, name: `book ${page % 3}`, data: { page } });
  }
  const seen: number[] = [];
  let cursor = "";
  for (;;) {
    const query = new URLSearchParams({ limit: "10", cursor });
    const path = `/messages/${serial}/annotations?${query}`;
    const answer = await call(server, session, "GET", path, USER);
    assert.equal(answer.status, 200, answer.text);
    const page = answer.body as { annotations: { data: { page: number } }[]; next?: string };
    seen.push(...page.annotations.map(({ data }) => data.page));
    if (page.next === undefined) break;
    cursor = page.next;
  }
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    Array.from({ length: 25 }, (_, page) => page),
  );
  await client.ok({ type: "delete", serial });
  await client.refused({ type: "annotate", serial, kind: "like:distinct" }, "deleted");
  await client.close();
});

test("P9.5 a read mark is told at once, then at most once in two seconds, and kept", async () => {
  const session = fixture.session("marks");
  const { server } = fixture;
  const ann = await connect(server, session, USER);
  const bob = await connect(server, session, { ...USER, sub: "bob" });
  const serials: string[] = [];
  for (let at = 0; at < 20; at += 1) serials.push(await ann.publish(`m${at}`));
  const marks: { serial: string; at: number }[] = [];
  ann.onFrames = (frames) => {
    for (const frame of frames) {
      const { type, serial } = frame as { type: string; serial?: string };
      if (type === "read.mark") marks.push({ serial: serial as string, at: Date.now() });
    }
  };
  for (const serial of serials) await bob.ok({ type: "read", serial });
  await until(
    () => marks.at(-1)?.serial,
    (serial) => serial === serials.at(-1),
    "the last mark is told",
  );
  assert.equal(marks[0]?.serial, serials[0]);
  assert.equal(marks.length, 2, "those between are not");
  await server.kill9();
  await server.start();
  const unread = await call(server, session, "GET", "/marks", { ...USER, sub: "bob" });
  assert.equal(field(unread, "unread"), 0);
  const { client, attached } = await attach(server, session, USER);
  const kept = (attached as { marks?: object[] }).marks;
  assert.deepEqual(kept, [{ client: "bob", serial: serials.at(-1) }]);
  await client.close();
});
