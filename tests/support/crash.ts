// A load of publishes and appends, readers who watch it, and a workerd that dies again and again.

import assert from "node:assert/strict";
import { type Client, connect } from "./client.ts";
import type { Message } from "./frames.ts";
import { call, field, getHistory } from "./http.ts";
import type { Random } from "./random.ts";
import { token, tokens } from "./random.ts";
import { Reader } from "./reader.ts";
import type { Server } from "./server.ts";
import { assertText } from "./text.ts";
import { Hang, sleep, until } from "./wait.ts";

const STREAM_TOKENS = 150;
const IN_FLIGHT = 8;

/** The session's promises: acknowledged publishes by id, and streams by id. */
export class Promised {
  published = new Map<string, string>();
  streams = new Map<string, { serial: string; acked: number; isClosed: boolean }>();
  acks = 0;
}

interface Load {
  server: Server;
  session: string;
  promised: Promised;
  isOver: boolean;
}

/** Runs `work` with a connection until it is done; a lost connection only begins it again. */
async function withConnection(
  load: Load,
  sub: string,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  while (!load.isOver) {
    let client: Client | undefined;
    try {
      client = await connect(load.server, load.session, { sub, query: { names: "nothing" } });
      await work(client);
      client.cut();
      return;
    } catch (error) {
      client?.cut();
      if (error instanceof assert.AssertionError || error instanceof Hang) throw error;
      await sleep(5);
    }
  }
}

/** Publishes with ids, several in flight; what was not acknowledged is sent again. */
async function publisher(load: Load, name: string): Promise<void> {
  let count = 0;
  const pending = new Set<string>();
  while (!load.isOver) {
    while (pending.size < IN_FLIGHT) {
      pending.add(`${name}-${count}`);
      count += 1;
    }
    await withConnection(load, name, async (client) => {
      const sent = [...pending].map(async (id) => {
        const message = { id, data: `data of ${id}`, name: "note" };
        const result = await client.ok({ type: "publish", messages: [message] });
        const serial = result.messages?.[0]?.serial ?? "";
        load.promised.published.set(id, serial);
        load.promised.acks += 1;
        pending.delete(id);
      });
      const failed = (await Promise.allSettled(sent)).find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    });
  }
}

/** The same without a connection, one request at a time. */
async function poster(load: Load, name: string): Promise<void> {
  for (let count = 0; !load.isOver; ) {
    const id = `${name}-${count}`;
    const json = { id, data: `data of ${id}`, name: "note" };
    try {
      const { server, session } = load;
      const answer = await call(server, session, "POST", "/messages", { sub: name, json });
      if (answer.status >= 300) throw new Error(answer.text);
      const [message] = field(answer, "messages") as { serial: string }[];
      load.promised.published.set(id, message?.serial ?? "");
      load.promised.acks += 1;
      count += 1;
    } catch (error) {
      if (error instanceof assert.AssertionError || error instanceof Hang) throw error;
      await sleep(5);
    }
  }
}

/** Streams one message after the other; after a loss it goes on behind its last ack. */
async function streamer(load: Load, name: string): Promise<void> {
  for (let count = 0; !load.isOver; count += 1) {
    const id = `${name}-${count}`;
    await withConnection(load, name, async (client) => {
      const message = { id, name: "stream", data: "", status: "streaming" };
      const result = await client.ok({ type: "publish", messages: [message] });
      const serial = result.messages?.[0]?.serial ?? "";
      const state = load.promised.streams.get(id) ?? { serial, acked: 0, isClosed: false };
      assert.equal(state.serial, serial, "an acknowledged stream keeps its serial");
      load.promised.streams.set(id, state);
      await stream(load, client, serial, state);
    });
  }
}

async function stream(
  load: Load,
  client: Client,
  serial: string,
  state: { acked: number; isClosed: boolean },
): Promise<void> {
  while (state.acked < STREAM_TOKENS && !load.isOver) {
    const first = state.acked + 1;
    const last = Math.min(first + IN_FLIGHT * 3 - 1, STREAM_TOKENS);
    const sent = Array.from({ length: last - first + 1 }, async (_, i) => {
      const seq = first + i;
      const end = seq === STREAM_TOKENS ? { status: "complete" } : {};
      await client.ok({ type: "append", serial, data: token(seq - 1), seq, ...end });
      state.acked = Math.max(state.acked, seq);
      state.isClosed ||= seq === STREAM_TOKENS;
      load.promised.acks += 1;
    });
    const failed = (await Promise.allSettled(sent)).find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

/** A reader that is always there again as soon as it can be. */
async function watcher(load: Load, reader: Reader): Promise<void> {
  while (!load.isOver) {
    try {
      const hadPosition = reader.fold.position !== undefined;
      await reader.attach();
      if (hadPosition)
        assert.ok(reader.fold.attached?.resumed, "a position is known after a crash");
      await reader.client?.closed;
    } catch (error) {
      if (error instanceof assert.AssertionError || error instanceof Hang) throw error;
      await sleep(5);
    }
  }
}

function assertKept(history: Message[], promised: Promised, seen: Map<string, Message>[]): void {
  const bySerial = new Map(history.map((message) => [message.serial, message]));
  const ids = new Map<string, number>();
  for (const { client, id } of history) {
    if (id !== undefined) ids.set(`${client} ${id}`, (ids.get(`${client} ${id}`) ?? 0) + 1);
  }
  for (const [id, count] of ids) assert.equal(count, 1, `${id} is there once`);
  for (const [id, serial] of promised.published) {
    assert.equal(bySerial.get(serial)?.data, `data of ${id}`, `${id} was acknowledged`);
  }
  for (const [id, { serial, acked, isClosed }] of promised.streams) {
    const message = bySerial.get(serial);
    assert.ok(message, `${id} was acknowledged`);
    const seq = message.seq ?? 0;
    assert.ok(seq >= acked, `${id}: ${acked} were acknowledged, ${seq} are there`);
    assertText(message.data, tokens(seq).join(""), `${id}, each token once,`);
    if (isClosed) assert.equal(message.status, "complete");
  }
  for (const messages of seen) {
    for (const [serial, held] of messages) {
      const stored = bySerial.get(serial);
      assert.ok(stored, `${serial} was seen by a reader`);
      assert.ok(stored.version >= held.version, `${serial}: versions go on`);
      assert.ok(String(stored.data).startsWith(String(held.data)), `${serial} was seen so`);
    }
  }
}

/** Copies, for the moment of the kill: what was acknowledged and seen by then. */
function freeze(promised: Promised): Promised {
  const copy = new Promised();
  copy.published = new Map(promised.published);
  copy.streams = new Map([...promised.streams].map(([id, state]) => [id, { ...state }]));
  return copy;
}

function heldBy(reader: Reader): Map<string, Message> {
  return new Map([...reader.fold.messages].map(([serial, held]) => [serial, { ...held }]));
}

/** Kills workerd `kills` times under load; gives how many acks were proven to be kept. */
export async function crash(server: Server, session: string, kills: number, random: Random) {
  const load: Load = { server, session, promised: new Promised(), isOver: false };
  const { promised } = load;
  const readers = [0, 40].map(
    (rollup) => new Reader(server, session, { sub: `reader${rollup}`, query: { rollup } }),
  );
  const running = Promise.all([
    publisher(load, "publisher"),
    poster(load, "poster"),
    streamer(load, "one"),
    streamer(load, "two"),
    ...readers.map((reader) => watcher(load, reader)),
  ]);
  let broken: Error | undefined;
  running.catch((error: Error) => {
    broken = error;
  });
  let end = "";
  for (let kill = 0; kill < kills && broken === undefined; kill += 1) {
    const goal = promised.acks + random.between(1, 200);
    await until(
      () => promised.acks,
      (acks) => acks >= goal || broken !== undefined,
      "more acks",
    );
    if (random.below(2) === 0) await sleep(random.between(0, 20));
    const died = server.kill9();
    const kept = freeze(promised);
    const seen = readers.map(heldBy);
    await died;
    await server.start();
    const history = await getHistory(server, session);
    assertKept(history, kept, seen);
    const newest =
      history
        .map((message) => message.version)
        .sort()
        .at(-1) ?? "";
    assert.ok(newest >= end, "serials go on increasing");
    end = newest;
  }
  load.isOver = true;
  for (const reader of readers) reader.client?.cut();
  await running;
  if (broken !== undefined) throw broken;
  for (const reader of readers) {
    await reader.attach();
    reader.fold.assertSound();
    const history = await getHistory(server, session);
    assertKept(history, promised, [heldBy(reader)]);
    assert.equal(reader.fold.messages.size, history.length, "a reader from the start has it all");
    for (const message of history) {
      assert.equal(reader.fold.messages.get(message.serial)?.data, message.data);
    }
    await reader.cut();
  }
  return promised.acks;
}
