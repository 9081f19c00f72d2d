// P9.3, P9.5: annotations and read marks in the real runtime, against a model.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, connect } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import type { Frame } from "../support/frames.ts";
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

  /** Something that a client may do, and whether it changes anything. */
  draw(random: Random, client: string): { act: Act; isChange: boolean } {
    const name = NAMES[random.below(NAMES.length)] as string;
    if (random.below(2) === 0) {
      const type = this.distinct.get(client)?.has(name) ? "unannotate" : "annotate";
      return { act: { type, kind: "like:distinct", name }, isChange: true };
    }
    const kind = "vote:unique";
    const vote = this.unique.get(client);
    return random.below(3) === 0
      ? { act: { type: "unannotate", kind }, isChange: vote !== undefined }
      : { act: { type: "annotate", kind, name }, isChange: vote !== name };
  }

  /** A change of a client, as the session orders them. */
  take(client: string, { type, kind, name = "" }: Act): void {
    if (kind === "vote:unique") {
      if (type === "annotate") this.unique.set(client, name);
      else this.unique.delete(client);
      return;
    }
    const own = this.distinct.get(client) ?? new Set();
    this.distinct.set(client, own);
    if (type === "annotate") own.add(name);
    else own.delete(name);
  }

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

interface Act {
  type: string;
  kind: string;
  name?: string;
}

interface Summary extends Frame {
  version: string;
  annotations: Sums;
}

test("P9.3 a hundred clients react, switch and withdraw: sums equal a model's", async (t) => {
  const random = new Random();
  t.diagnostic(`SESSILE_SEED=${random.seed}`);
  const session = fixture.session("sums");
  const { server } = fixture;
  const author = await connect(server, session, { ...USER, sub: "author" });
  const serial = await author.publish("what do you think?");
  await author.close();
  // As each client knows what is its own, and as the session orders all of it.
  const own = new Model();
  const model = new Model();
  /** All clients at once. Gives the sums that the model has after each change, by its version. */
  const react = async (): Promise<Map<string, Sums>> => {
    const changes: { version: string; sub: string; act: Act }[] = [];
    const one = async (sub: string) => {
      const client = await connect(server, session, { ...USER, sub });
      for (let step = 0; step < 6; step += 1) {
        const { act, isChange } = own.draw(random, sub);
        const { version = "" } = await client.ok({ ...act, serial });
        own.take(sub, act);
        if (isChange) changes.push({ version, sub, act });
      }
      await client.close();
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => one(`c${index}`)));
    changes.sort((one, other) => (one.version < other.version ? -1 : 1));
    const sums = new Map<string, Sums>();
    for (const { version, sub, act } of changes) {
      model.take(sub, act);
      sums.set(version, model.sums());
    }
    assert.equal(sums.size, changes.length, "each has a version of its own");
    return sums;
  };
  const stored = async (): Promise<Sums> => {
    const message = await getMessage(server, session, serial);
    return (message as { annotations?: Sums }).annotations ?? {};
  };

  // Live, each change is one frame, with the sums after it.
  const reader = await attach(server, session, { ...USER, sub: "reader" });
  const expected = await react();
  const told = new Map<string, Sums>();
  while (told.size < expected.size) {
    const frame = (await reader.client.next("message.summary")) as Summary;
    told.set(frame.version, frame.annotations);
  }
  assert.deepEqual(told, expected);
  const since = [...told.keys()].at(-1) as string;
  await reader.client.close();

  // A reader that comes back has all that was missed in one frame, after an eviction as well.
  await server.evict(session);
  assert.deepEqual(await stored(), model.sums());
  const missed = await react();
  const resumed = await attach(server, session, { ...USER, sub: "reader", query: { since } });
  assert.equal(resumed.attached.resumed, true);
  const frames = resumed.client.inbox as Summary[];
  assert.deepEqual(
    frames.map(({ type, version, annotations }) => ({ type, version, annotations })),
    [
      {
        type: "message.summary",
        version: [...missed.keys()].at(-1),
        annotations: model.sums(),
      },
    ],
  );

  // In history and for who comes late, after `kill -9` as well.
  await server.kill9();
  await server.start();
  assert.deepEqual(await stored(), model.sums());
  const late = await attach(server, session, { ...USER, sub: "late" });
  const created = late.client.inbox.find((frame) => frame.type === "message.create");
  const shown = (created as unknown as { message: { annotations: Sums } }).message.annotations;
  assert.deepEqual(shown, model.sums());
  await late.client.close();
});

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
