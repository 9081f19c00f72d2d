// A connection over fetch, with a session that is played by hand (P12.1, P3.8).

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { FetchConnection } from "../../src/connection/over-fetch.ts";
import type { ConnectionOptions, Owner } from "../../src/connection/types.ts";
import type { ConnectionStatus, ServerFrame } from "../../src/index.ts";
import { bytesOf } from "../../src/protocol/index.ts";

/** An hour from now, by a clock that no test changes. */
const AT = performance.timeOrigin + performance.now();
const EXPIRES_AT = AT + 3_600_000;

function settle(): Promise<void> {
  return new Promise((done) => setTimeout(done, 5));
}

interface Frame {
  ref?: number;
  type: string;
  turn?: string;
}

/** Streams and requests, answered as the test wants. */
class Played {
  readonly streams: { signal: AbortSignal; say(...frames: object[]): void; end(): void }[] = [];
  readonly posts: Frame[][] = [];
  /** The response to each request. */
  answer = (frames: Frame[]): Response | Promise<Response> =>
    Response.json(frames.map(({ ref }) => ({ type: "ack", ref, result: {} })));

  readonly fetch = (async (url: string, init: RequestInit) => {
    if (init.method === "POST") {
      const frames: Frame[] = JSON.parse(String(init.body));
      this.posts.push(frames);
      return this.answer(frames);
    }
    if (!url.includes("/events")) throw new TypeError("fetch failed");
    const encoder = new TextEncoder();
    const signal = init.signal as AbortSignal;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        signal.addEventListener("abort", () => controller.error(signal.reason), { once: true });
        this.streams.push({
          signal,
          say: (...frames) => {
            for (const frame of frames) {
              controller.enqueue(encoder.encode(`data: ${JSON.stringify(frame)}\n\n`));
            }
          },
          end: () => controller.close(),
        });
      },
    });
    return new Response(body);
  }) as typeof fetch;
}

interface Made {
  played: Played;
  connection: FetchConnection;
  taken: ServerFrame[];
  statuses: ConnectionStatus[];
  attach(): void;
}

async function start(t: TestContext, options: Partial<ConnectionOptions> = {}): Promise<Made> {
  const played = new Played();
  const taken: ServerFrame[] = [];
  const statuses: ConnectionStatus[] = [];
  const owner: Owner = {
    position: () => undefined,
    take: (frames) => void taken.push(...frames),
    changed: (status) => void statuses.push(status),
  };
  const connection = new FetchConnection(
    {
      ...{ url: "https://example.com", session: "s", token: "a.b.c", fetch: played.fetch },
      timing: { backoffMs: 1, backoffMostMs: 1 },
      ...options,
    },
    owner,
  );
  t.after(() => connection.stop());
  connection.start();
  await settle();
  const attach = () => {
    const frame = { type: "attached", protocol: 1, resumed: false, expiresAt: EXPIRES_AT, at: AT };
    const limits = { frameBytes: 100_000, publishMessages: 10 };
    played.streams.at(-1)?.say({ ...frame, limits }, { type: "caught-up", serial: "1" });
  };
  attach();
  await settle();
  return { played, connection, taken, statuses, attach };
}

describe("a connection over fetch", () => {
  test("has one stream and one request at a time, also when stopped and started", async (t) => {
    const { played, connection, attach } = await start(t);
    assert.equal(connection.status.state, "connected");
    connection.stop();
    connection.start();
    connection.stop();
    connection.start();
    connection.start();
    await settle();
    attach();
    await settle();
    assert.equal(played.streams.filter(({ signal }) => !signal.aborted).length, 1);
    assert.equal(connection.status.state, "connected");
    let isAnswered = () => {};
    played.answer = (frames) =>
      new Promise((done) => {
        isAnswered = () =>
          done(Response.json(frames.map(({ ref }) => ({ type: "ack", ref, result: {} }))));
      });
    const asked = ["a", "b", "c"].map((turn) => {
      const result = connection.request({ type: "cancel", turn });
      return turn === "a" ? settle().then(() => result) : result;
    });
    await settle();
    assert.deepEqual(
      played.posts.map((frames) => frames.map(({ turn }) => turn)),
      [["a", "b", "c"]],
      "what is asked in one go is one request",
    );
    const later = connection.request({ type: "cancel", turn: "d" });
    await settle();
    assert.equal(played.posts.length, 1, "not before the one before it was answered");
    isAnswered();
    await Promise.all(asked);
    await settle();
    isAnswered();
    await later;
    assert.equal(played.posts.length, 2);
  });

  test("tells who asks once that nobody knows, and sends the rest again, in order", async (t) => {
    const { played, connection } = await start(t);
    const answer = played.answer;
    let isDown = true;
    played.answer = (frames) => {
      if (isDown) throw new TypeError("fetch failed");
      return answer(frames);
    };
    const first = connection.request({ type: "cancel", turn: "a" });
    const once = connection.request({ type: "cancel", turn: "b" }, { once: true });
    const last = connection.request({ type: "cancel", turn: "c" });
    await assert.rejects(once, { code: "disconnected" });
    isDown = false;
    await Promise.all([first, last]);
    assert.deepEqual(
      played.posts.at(-1)?.map(({ turn }) => turn),
      ["a", "c"],
    );
    assert.equal(connection.status.state, "connected", "the stream has nothing to do with it");
  });

  test("comes back when the stream ends, and closes as the stream says", async (t) => {
    const { played, connection, statuses, attach } = await start(t);
    played.streams.at(-1)?.end();
    await settle();
    await settle();
    attach();
    await settle();
    assert.ok(statuses.some(({ state }) => state === "waiting"));
    assert.equal(connection.status.state, "connected");
    const error = { code: "gone", status: 410, message: "unable to attach; it is being deleted" };
    played.streams.at(-1)?.say({ type: "nack", ref: null, error }, { type: "closing", code: 4410 });
    await settle();
    assert.deepEqual(
      [connection.status.state, connection.status.reason],
      ["closed", "session-deleted"],
    );
    await assert.rejects(connection.request({ type: "cancel", all: true }));
  });

  test("P2.5 stops asking where the stream is answered with a status", async (t) => {
    const { played, connection } = await start(t);
    let asked = 0;
    const error = { code: "forbidden", status: 403, message: "unable to attach; read is missing" };
    const forbid = (async () => {
      asked += 1;
      return Response.json({ error }, { status: 403 });
    }) as unknown as typeof fetch;
    connection.stop();
    const other = await start(t, { fetch: forbid });
    assert.equal(other.connection.status.error?.code, "forbidden");
    assert.equal(other.connection.status.state, "closed");
    assert.equal(asked, 1);
    assert.equal(played.streams.length, 1);
  });

  test("P2.6 reminded of its token it comes back with another, not with the same", async (t) => {
    let token = "a.b.c";
    const { played, attach } = await start(t, { token: () => token });
    const remind = () => played.streams.at(-1)?.say({ type: "token-expiring", expiresAt: 0 });
    remind();
    await settle();
    assert.equal(played.streams.length, 1);
    token = "d.e.f";
    remind();
    await settle();
    assert.equal(played.streams.length, 2);
    attach();
    remind();
    await settle();
    assert.equal(played.streams.length, 2);
  });

  test("a deployment without a key is said to be so, and given up", async (t) => {
    const error = { code: "not-configured", status: 503, message: "unable to serve; no key" };
    const refuse = (async () => Response.json({ error }, { status: 503 })) as typeof fetch;
    const { connection } = await start(t, { fetch: refuse });
    for (let time = 0; time < 20 && connection.status.state !== "closed"; time += 1) await settle();
    assert.deepEqual(
      [connection.status.state, connection.status.reason, connection.status.error?.code],
      ["closed", "not-configured", "not-configured"],
    );
  });

  test("a clock that is hours off makes it neither come back nor ask for tokens", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 7_200_000 });
    let asked = 0;
    const { played, statuses } = await start(t, {
      token: () => {
        asked += 1;
        return "e30.e30.x";
      },
    });
    await new Promise((done) => setTimeout(done, 1_500));
    assert.deepEqual([asked, played.streams.length], [1, 1]);
    assert.ok(!statuses.some(({ state }) => state === "waiting"));
  });
});

test("what stands in line behind a refused frame is not sent in a later request", async (t) => {
  const { played, connection } = await start(t);
  played.answer = (frames) => {
    const error = { code: "rate-limited", status: 429, message: "too fast" };
    return Response.json(frames.map(({ ref }) => ({ type: "nack", ref, error })));
  };
  const ask = (chain: number) =>
    connection
      .request({ type: "turn.heartbeat", turn: "t", chain }, { once: true })
      .then(() => "taken")
      .catch(({ code }) => code);
  // Of one chain, more than one request takes.
  const answers = Array.from({ length: 150 }, () => ask(1));
  const other = ask(2);
  await settle();
  const codes = await Promise.all(answers);
  assert.ok(codes.slice(100).every((code) => code === "skipped"));
  assert.equal(await other, "rate-limited");
  assert.equal(played.posts.flat().length, 101, "a hundred of the first chain, one of the other");
});

test("P14 a body stays within the bound of a frame, in bytes, whatever its text", async (t) => {
  const { played, connection } = await start(t);
  const data = "漢".repeat(10_000);
  const frames = Array.from({ length: 9 }, (_, at) =>
    connection.request({ type: "append", serial: "1", seq: at + 1, data }),
  );
  await Promise.all(frames);
  const sizes = played.posts.map((post) => bytesOf(JSON.stringify(post)));
  assert.ok(Math.max(...sizes) <= 100_000, `sent ${sizes}`);
  assert.equal(played.posts.flat().length, 9);
});
