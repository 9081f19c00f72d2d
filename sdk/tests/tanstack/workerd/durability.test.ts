// TanStack AI's durable streams with a session behind them: the real responses and clients, over
// requests that never leave the process, and a real session.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  RUN_CANCEL_REASON,
  resumeServerSentEventsResponse,
  type StreamChunk,
  toServerSentEventsResponse,
} from "@tanstack/ai";
import { ChatClient, type ChatClientOptions, fetchServerSentEvents } from "@tanstack/ai-client";
import { useServer as serve } from "../../../../tests/support/fixture.ts";
import { getHistory } from "../../../../tests/support/http.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until, within } from "../../../../tests/support/wait.ts";
import {
  type RunRequest,
  type SessileConnection,
  type SessionDurability,
  type SessionDurabilityOptions,
  sessileConnection,
  sessionDurability,
} from "../../../src/tanstack/index.ts";

const fixture = serve();
const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends) await end();
});

const WORDS = Array.from({ length: 60 }, (_, n) => `word${n} 🌊 `);
const TEXT = WORDS.join("");

type Loose = { type: string } & Record<string, unknown>;

function durability(
  session: string,
  request: Request | RunRequest,
  options: Partial<SessionDurabilityOptions> = {},
): SessionDurability {
  return sessionDurability(request, {
    url: fixture.server.url,
    session,
    token: () => makeToken({ sub: "agent", caps: { "*": ["agent"] } }),
    ...options,
  });
}

/** The chunks of a model's run. */
async function* run(words: readonly string[], delayMs = 0): AsyncGenerator<StreamChunk> {
  const say = (chunk: Loose) => chunk as unknown as StreamChunk;
  yield say({ type: "RUN_STARTED", threadId: "t", runId: "provider-run" });
  yield say({ type: "TEXT_MESSAGE_START", messageId: "m1", role: "assistant" });
  for (const delta of words) {
    if (delayMs > 0) await new Promise((done) => setTimeout(done, delayMs));
    yield say({ type: "TEXT_MESSAGE_CONTENT", messageId: "m1", delta });
  }
  yield say({ type: "TEXT_MESSAGE_END", messageId: "m1" });
  yield say({
    type: "RUN_FINISHED",
    threadId: "t",
    runId: "provider-run",
    finishReason: "stop",
  });
}

/** A server's route: POST begins a run, GET reads it back. */
class Route {
  calls = 0;
  delayMs = 0;
  batch: number | undefined;
  readonly session: string;

  constructor(session: string) {
    this.session = session;
  }

  readonly fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const request = new Request(new URL(String(input), "http://app.test"), init);
    const adapter = durability(this.session, request, await this.#input(request));
    if (request.method === "GET" || adapter.resumeFrom() !== null) {
      return resumeServerSentEventsResponse({ adapter });
    }
    this.calls += 1;
    const { abortController } = adapter;
    const { delayMs, batch } = this;
    const settings = { adapter, ...(batch && { batch }) };
    return toServerSentEventsResponse(run(WORDS, delayMs), {
      durability: settings,
      abortController,
    });
  };

  async #input(request: Request): Promise<{ input?: string }> {
    if (request.method === "GET") return {};
    const { input } = (await request.clone().json()) as { input?: string };
    return input === undefined ? {} : { input };
  }
}

interface Page {
  chat: ChatClient;
}

function chatOf(options: Record<string, unknown>): Page {
  const chat = new ChatClient(options as unknown as ChatClientOptions);
  ends.push(() => chat.dispose());
  return { chat };
}

/** A page that knows nothing of sessions. */
function plainPage(route: Route, options: Record<string, unknown> = {}): Page {
  const connection = fetchServerSentEvents("/api", { fetchClient: route.fetch as typeof fetch });
  return chatOf({ connection, threadId: route.session, ...options });
}

function connect(session: string, options: Record<string, unknown> = {}): SessileConnection {
  const made = sessileConnection({
    url: fixture.server.url,
    session,
    token: () => makeToken({ sub: "alice", caps: { "*": ["user"] } }),
    ...options,
  });
  ends.push(() => made.close());
  return made;
}

function textOf({ chat }: Page): string {
  const parts = chat.getMessages().flatMap(({ role, parts }) => (role === "user" ? [] : parts));
  return parts.map((part) => (part.type === "text" ? part.content : "")).join("|");
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

/** The events of a response: their ids and their chunks. */
async function eventsOf(response: Response): Promise<{ id: string; chunk: Loose }[]> {
  const text = await within(response.text(), "the end of the response");
  return text.split("\n\n").flatMap((event) => {
    const id = /^id: ?(.*)$/m.exec(event)?.[1];
    const data = /^data: ?(.*)$/m.exec(event)?.[1];
    return id && data ? [{ id, chunk: JSON.parse(data) as Loose }] : [];
  });
}

const post = (runId: string): RequestInit => ({
  method: "POST",
  headers: { "x-run-id": runId },
  body: "{}",
});

describe("sessionDurability", () => {
  test("what a response delivered is stored, and resumes exactly after any of it", async () => {
    const session = fixture.session();
    const route = new Route(session);
    const events = await eventsOf(await route.fetch("/api", post("run-1")));
    const ids = events.map(({ id }) => id);
    assert.equal(events.length, WORDS.length + 5);
    assert.equal(new Set(ids).size, ids.length);
    const adapter = durability(session, { runId: "run-1" });
    const stored = await adapter.snapshot();
    assert.deepEqual(
      stored.map(({ offset }) => offset),
      ids,
    );
    for (const [at, id] of [...ids.entries()].filter(([at]) => at % 7 === 0 || at > 60)) {
      const rest = await within(all(adapter.read(id)), "the rest");
      assert.deepEqual(rest, stored.slice(at + 1), `the rest after ${id}`);
    }
    assert.deepEqual(await within(all(adapter.read("-1")), "all"), stored);
    assert.deepEqual(await within(all(adapter.read("now")), "nothing"), []);
    const headers = { "last-event-id": ids[30] ?? "" };
    const rest = await eventsOf(await route.fetch("/api?runId=run-1", { headers }));
    assert.deepEqual(rest, events.slice(31));
    assert.equal(route.calls, 1, "the model was called once");
    const messages = await getHistory(fixture.server, session);
    assert.deepEqual(
      messages.map(({ name, status }) => [name, status]),
      [["chunks", "complete"]],
    );
  });

  test("a reader follows live, through cuts, and ends with the run", async () => {
    const session = fixture.session();
    const adapter = durability(session, { runId: "run-1" });
    const chunks = await all(run(WORDS));
    await adapter.append(chunks.slice(0, 10));
    const cut = new AbortController();
    const seen: unknown[] = [];
    let last = "-1";
    for await (const { offset, chunk } of adapter.read("-1", cut.signal)) {
      seen.push(chunk);
      last = offset;
      if (seen.length === 7) cut.abort();
      if (seen.length === 7) break;
    }
    const reading = all(durability(session, { runId: "run-1" }).read(last));
    for (let at = 10; at < chunks.length; at += 5) await adapter.append(chunks.slice(at, at + 5));
    await adapter.close();
    const rest = await within(reading, "the rest");
    assert.deepEqual([...seen, ...rest.map(({ chunk }) => chunk)], chunks);
  });

  test("a page reloads in mid-answer and joins the run; the model is called once", async () => {
    const session = fixture.session();
    const route = new Route(session);
    route.delayMs = 15;
    route.batch = 4;
    let runId = "";
    const one = plainPage(route, { onRunIdChange: (id: string | null) => (runId = id ?? runId) });
    const asking = one.chat.sendMessage("Hello");
    await until(
      () => textOf(one),
      (text) => text.length > 50,
      "a part of the answer",
    );
    one.chat.stop();
    await asking;
    const two = plainPage(route, {
      initialResumeSnapshot: { resumeState: { threadId: session, runId } },
    });
    two.chat.attach();
    await until(
      () => textOf(two),
      (text) => text === TEXT,
      "the rest",
    );
    assert.equal(route.calls, 1);
  });

  test("a session's page sees a stored run live, reloaded and late", async () => {
    const session = fixture.session();
    const route = new Route(session);
    route.delayMs = 10;
    route.batch = 4;
    const live = chatOf({ connection: connect(session), threadId: session });
    live.chat.subscribe();
    const one = plainPage(route);
    const asking = one.chat.sendMessage("Hello");
    await until(
      () => textOf(live),
      (text) => text.length > 50,
      "a part of the answer",
    );
    const joined = chatOf({
      connection: connect(session),
      threadId: session,
      persistence: true,
    });
    joined.chat.attach();
    await within(asking, "the answer");
    assert.equal(textOf(one), TEXT);
    await until(
      () => textOf(live),
      (text) => text === TEXT,
      "the live page to have it",
    );
    await until(
      () => live.chat.getStatus(),
      (status) => status === "ready",
      "it to be ready",
    );
    await until(
      () => textOf(joined),
      (text) => text === TEXT,
      "the joined page to have it",
    );
    const late = chatOf({ connection: connect(session), threadId: session });
    late.chat.subscribe();
    await until(
      () => textOf(late),
      (text) => text === TEXT,
      "a late page to have it",
    );
  });

  test("a page asks by the route and is answered by the session", async () => {
    const session = fixture.session();
    const route = new Route(session);
    const connection = connect(session, { api: "/api", fetch: route.fetch });
    const made = chatOf({ connection: Object.assign(connection), threadId: session });
    await within(made.chat.sendMessage("Hello"), "the answer");
    assert.equal(textOf(made), TEXT);
    assert.equal(made.chat.getStatus(), "ready");
    const [turn] = connection.session.turns;
    assert.equal(turn?.input, connection.session.messages[0]?.serial);
    await within(made.chat.reload(), "another answer");
    assert.equal(textOf(made), TEXT);
    assert.equal(route.calls, 2);
  });
});

describe("runs that do not end well", () => {
  test("a cancel from any device reaches the producer, and the run ends as cancelled", async () => {
    const session = fixture.session();
    const route = new Route(session);
    route.delayMs = 20;
    route.batch = 2;
    const connection = connect(session);
    const live = chatOf({ connection, threadId: session });
    live.chat.subscribe();
    const response = await route.fetch("/api", post("run-1"));
    const reading = eventsOf(response);
    await until(
      () => textOf(live),
      (text) => text.length > 50,
      "a part of the answer",
    );
    await connection.cancel("run-1", "enough");
    await within(reading, "the end of the response");
    const turn = await until(
      () => connection.session.turns[0],
      (it) => it?.endedAt !== undefined,
      "the end of the turn",
    );
    assert.equal(turn?.status, "cancelled");
    await until(
      () => live.chat.getStatus(),
      (status) => status === "ready",
      "the page to see it",
    );
    assert.equal(live.chat.getError(), undefined, "a cancel is no error");
    const stored = await durability(session, { runId: "run-1" }).snapshot();
    assert.ok(stored.length < WORDS.length, "the producer stopped");
    const last = stored.at(-1)?.chunk as unknown as Loose;
    assert.deepEqual([last.type, last.outcome], ["RUN_FINISHED", { type: "cancelled" }]);
  });

  test("a producer that is silent hears of a cancel", async () => {
    const session = fixture.session();
    const adapter = durability(session, { runId: "run-1" });
    const { signal } = adapter.abortController;
    await adapter.append((await all(run(["Well, "]))).slice(0, 3));
    const connection = connect(session);
    await connection.session.connect();
    await connection.cancel();
    await until(() => signal.aborted, Boolean, "the producer to hear of it");
    assert.equal(signal.reason, RUN_CANCEL_REASON);
    await adapter.close();
  });

  test("a producer that dies: its readers learn of it; another one may go on before", async () => {
    const session = fixture.session();
    const chunks = await all(run(WORDS));
    let isDead = false;
    const mortal = ((...args: Parameters<typeof fetch>) =>
      isDead ? Promise.reject(new TypeError("dead")) : fetch(...args)) as typeof fetch;
    const dying = durability(session, { runId: "run-1" }, { fetch: mortal, leaseMs: 1000 });
    await dying.append(chunks.slice(0, 20));
    isDead = true;
    const reading = all(durability(session, { runId: "run-1" }).read("-1"));
    const next = durability(session, { runId: "run-1" }, { leaseMs: 1000 });
    const held = await next.snapshot();
    assert.deepEqual(
      held.map(({ chunk }) => chunk),
      chunks.slice(0, 20),
    );
    await next.append(chunks.slice(20, 30));
    await next.close();
    const seen = await within(reading, "the end");
    assert.deepEqual(
      seen.slice(0, 30).map(({ chunk }) => chunk),
      chunks.slice(0, 30),
    );

    isDead = false;
    const second = durability(session, { runId: "run-2" }, { fetch: mortal, leaseMs: 1000 });
    await second.append(chunks.slice(0, 20));
    isDead = true;
    const lost = await within(all(durability(session, { runId: "run-2" }).read("-1")), "the end");
    assert.deepEqual(
      lost.slice(0, 20).map(({ chunk }) => chunk),
      chunks.slice(0, 20),
    );
    const last = lost.at(-1)?.chunk as unknown as Loose;
    assert.deepEqual([last.type, last.code], ["RUN_ERROR", "agent-lost"]);
    const late = chatOf({ connection: connect(session), threadId: session });
    late.chat.subscribe();
    await until(
      () => textOf(late),
      (text) => text.includes("word9"),
      "what it said",
    );
  });

  test("a run that failed is an error for all", async () => {
    const session = fixture.session();
    const connection = connect(session);
    const live = chatOf({ connection, threadId: session });
    live.chat.subscribe();
    await connection.session.connect();
    async function* broken() {
      yield* (await all(run(WORDS))).slice(0, 10);
      throw new Error("the model is away");
    }
    const adapter = durability(session, { runId: "run-1" });
    await eventsOf(toServerSentEventsResponse(broken(), { durability: { adapter } }));
    await until(
      () => live.chat.getError()?.message,
      (it) => it === "the model is away",
      "it",
    );
    await until(
      () => connection.session.turns[0]?.status,
      (it) => it === "failed",
      "the end",
    );
  });

  test("nothing is known of a run that nobody began", async () => {
    const session = fixture.session();
    const adapter = durability(session, { runId: "run-0" }, { firstChunkMs: 100 });
    assert.deepEqual(await adapter.snapshot(), []);
    await assert.rejects(all(adapter.read("-1")), { code: "not-found" });
    await assert.rejects(all(adapter.read("xyz000000001:5")), { code: "not-found" });
    await assert.rejects(all(adapter.read("memory:v1:a:5")), { code: "invalid-frame" });
    const other = durability(session, { runId: "run-1" });
    const [offset = ""] = await other.append((await all(run([]))).slice(0, 1));
    await assert.rejects(all(adapter.read(offset)), { code: "not-found" });
    await other.close();
    await assert.rejects(other.append(await all(run([]))), { code: "turn-closed" });
  });
});

describe("large runs", () => {
  test("go on in another message, and lines of any length come back as they were", async () => {
    const session = fixture.session();
    const adapter = durability(session, { runId: "run-1" });
    const sizes = [10, 70_000, 300_000, 500_000, 20, 400_000, 1_300_000, 30, 880_000, 40];
    const words = sizes.map((size, n) => `${n}é🌊"\\`.repeat(Math.ceil(size / 6)).slice(0, size));
    const chunks = await all(run(words.map((word) => word.toWellFormed())));
    const offsets: string[] = [];
    for (let at = 0; at < chunks.length; at += 3) {
      offsets.push(...(await adapter.append(chunks.slice(at, at + 3))));
    }
    await adapter.close();
    const stored = await adapter.snapshot();
    assert.deepEqual(
      stored.map(({ offset }) => offset),
      offsets,
    );
    assert.deepEqual(
      stored.map(({ chunk }) => chunk),
      chunks,
    );
    for (const [at, offset] of offsets.entries()) {
      const rest = await all(adapter.read(offset));
      assert.deepEqual(
        rest.map((it) => it.offset),
        offsets.slice(at + 1),
      );
      assert.deepEqual(
        rest.map(({ chunk }) => chunk),
        chunks.slice(at + 1),
      );
    }
    const late = chatOf({ connection: connect(session), threadId: session, persistence: true });
    late.chat.attach();
    await until(
      () => textOf(late).length,
      (it) => it > 0,
      "the answer",
    );
    assert.equal(textOf(late), chunks.map((it) => (it as unknown as Loose).delta ?? "").join(""));
  });
});
