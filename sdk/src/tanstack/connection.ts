// TanStack AI's `useChat` on a session. An abort only detaches the page, since the chat aborts on
// unmount, on navigation and on stop alike. `cancel` ends an answer.

import type { ConnectionAdapter, RunAgentInputContext } from "@tanstack/ai-client";
import { Answers } from "../answer/answers.ts";
import { fieldsOf, type Loose } from "../answer/fields.ts";
import { isWaiting } from "../answer/settled.ts";
import { askingsOf, claimCalls } from "../client/askings.ts";
import { branchesOf } from "../client/branches.ts";
import { historyOf } from "../client/history.ts";
import { createSession, type Session } from "../client/session.ts";
import type { SessionOptions } from "../client/types.ts";
import { PacedChunks } from "../pace/chunks.ts";
import { paced, windowOf } from "../pace/flow.ts";
import {
  AGAIN,
  isOpen,
  type Message,
  SessileError,
  TOOL_APPROVAL,
  type Turn,
  wellFormed,
} from "../protocol/index.ts";
import { changesOf } from "./changes.ts";
import { RunChunks, turnOf } from "./chunks.ts";
import { asked } from "./events.ts";
import { type Fed, Feed, type Known, snapshotOf } from "./feed.ts";
import type { ChatMessage } from "./fold.ts";
import { type Node, nodesOf } from "./nodes.ts";
import { inOne, type News, newsOf } from "./outputs.ts";
import { chatOf, chunksOf, saidUpTo, shownIn, toData, wholeNodes } from "./transcript.ts";
import { runInput } from "./wire.ts";

type Common = {
  /**
   * A route that receives a POST for each run the chat requests, for agents that are not connected:
   * AG-UI's `RunAgentInput` with the `session` and the `input`, and the run's id as `X-Run-Id`. The
   * response is ignored, since the agent answers into the session.
   */
  api?: string;
  /** Headers of that request. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** A `fetch` function in place of the platform's. */
  fetch?: typeof fetch;
  /** The effect of an aborted request; `detach` by default (see above). */
  onAbort?: "detach" | "cancel";
};

export type SessileConnectionOptions =
  /** An existing session; it is connected on first use. */
  (Common & { session: Session }) | (Common & SessionOptions);

type Subscribing = Required<Extract<ConnectionAdapter, { subscribe: unknown }>>;
type Hydration = Awaited<ReturnType<Subscribing["hydrate"]>>;
type HydrateOptions = Parameters<Subscribing["hydrate"]>[1];

/** A connection for `useChat({ connection, live: true })`. */
export interface SessileConnection extends Subscribing {
  readonly session: Session;
  /** Cancels a run, or every run, queued ones too, on all devices (P6.5). */
  cancel(runId?: string, reason?: string): Promise<void>;
  /** Disconnects the session, if this connection created it; nothing is cancelled. */
  close(): void;
}

/** Connects a chat to a session. */
export function sessileConnection(options: SessileConnectionOptions): SessileConnection {
  return new Chat(options);
}

type Chunks = ReturnType<Subscribing["subscribe"]>;

class Chat implements SessileConnection {
  readonly session: Session;
  readonly #options: SessileConnectionOptions;
  readonly #feeds = new Set<Feed>();
  readonly #sent = new Set<string>();
  readonly #joined = new Set<string>();
  /** Called when there are chunks to emit that do not come from the session. */
  readonly #looks = new Set<() => void>();
  /** Calls of the session that this page has tried to claim. */
  readonly #tried = new Set<string>();
  #thread: string | undefined;
  #hasTranscript = false;
  /** Messages of the page that are not in the session yet. */
  #asking = 0;

  constructor(options: SessileConnectionOptions) {
    this.#options = options;
    this.session = isMade(options) ? createSession(paced(options)) : options.session;
  }

  readonly subscribe = (signal?: AbortSignal): Chunks => this.#subscribe(signal) as Chunks;

  readonly joinRun = (runId: string, signal?: AbortSignal): Chunks =>
    this.#join(turnOf(runId, this.session.turns), signal) as Chunks;

  readonly send: Subscribing["send"] = async (messages, data, signal, context) => {
    const chat = messages as unknown as ChatMessage[];
    const run = context ?? { threadId: this.#threadId(), runId: `run-${crypto.randomUUID()}` };
    this.#thread = run.threadId;
    this.#sent.add(run.runId);
    for (const { id } of chat) if (id !== undefined) this.#sent.add(id);
    const connecting = this.#connect();
    // Only the log shows whether a message is new, so the log is read first.
    if (this.session.log.length === 0) {
      this.#asking += 1;
      await untilAborted(connecting, signal).finally(() => {
        this.#asking -= 1;
      });
    }
    if (signal?.aborted) return;
    const publishing = this.#publish(chat);
    for (const feed of this.#feeds) feed.asked();
    const input = await untilAborted(publishing, signal);
    if (signal?.aborted) return this.#letGo(run.runId, await publishing);
    if (input === NOTHING && !run.resume) return this.#skip(run.runId);
    signal?.addEventListener("abort", () => this.#letGo(run.runId, input), { once: true });
    await this.#wake(chat, input || undefined, data ?? {}, run);
  };

  readonly hydrate = async (
    threadId: string,
    { limit, before }: HydrateOptions = {},
  ): Promise<Hydration> => {
    this.#thread = threadId;
    this.#hasTranscript = true;
    await this.#ready();
    const { session } = this;
    await askingsOf(session).known;
    const wanted = () => {
      const nodes = wholeNodes(shownIn(session), this.#answers());
      return before === undefined ? nodes : nodes.filter(({ serial }) => serial < before);
    };
    const least = limit ?? (before === undefined ? 1 : PAGE);
    while (session.hasOlder && wanted().length < least) {
      if ((await historyOf(session).loadOlder(PAGE)) === 0) break;
    }
    const nodes = wanted();
    const page = limit === undefined ? nodes : lastOf(nodes, limit);
    const [oldest] = page;
    const isAll = !session.hasOlder && page.length === nodes.length;
    const cursor = oldest?.serial ?? before;
    const running = before === undefined ? session.turns.findLast(isRunning) : undefined;
    return {
      messages: this.#chatIn(page, running) as unknown as Hydration["messages"],
      activeRun: running ? { runId: running.id } : null,
      // A running turn reports its own questions.
      interrupts:
        running || before !== undefined
          ? null
          : interruptsOf(nodes, session.turns, this.#answers()),
      page: isAll || !cursor ? { truncated: false } : { truncated: true, cursor },
    };
  };

  async cancel(runId?: string, reason?: string): Promise<void> {
    const { turns } = this.session;
    await this.session.cancel(runId === undefined ? { all: true } : turnOf(runId, turns), reason);
  }

  close(): void {
    if (isMade(this.#options)) this.session.close();
  }

  #connect(): Promise<void> {
    return this.session.connect();
  }

  #answers(): Answers {
    const { log: messages, turns } = this.session;
    return Answers.following(this.session, { messages, turns });
  }

  /**
   * The chat that a page begins with. The answer in progress is one message at its end, which the
   * chat drops when `joinRun` replays that answer from its beginning.
   */
  #chatIn(nodes: readonly Node[], running: Turn | undefined): ChatMessage[] {
    const { turns } = this.session;
    const answers = this.#answers();
    const answer = running && answers.of({ turn: running.id, serial: "" });
    const isRun = (node: Node) => running !== undefined && node.answer === answer;
    const chat = chatOf(
      nodes.filter((node) => !isRun(node)),
      turns,
      answers,
    );
    const [begun] = chatOf(nodes.filter(isRun), turns, answers);
    if (begun) return [...chat, begun];
    const isTaken = running && chat.at(-1)?.role === "assistant";
    return isTaken ? [...chat, { id: running.id, role: "assistant", parts: [] }] : chat;
  }

  #threadId(): string {
    return this.#thread ?? this.session.id;
  }

  async *#subscribe(signal: AbortSignal | undefined): AsyncGenerator<Loose> {
    const { session } = this;
    const known: Known = {
      session,
      shown: () => shownIn(session),
      answers: () => this.#answers(),
      thread: () => this.#threadId(),
      sent: this.#sent,
      joined: this.#joined,
      hasTranscript: () => this.#hasTranscript,
    };
    const feed = new Feed(known);
    this.#feeds.add(feed);
    const ends = [session.on("reset", () => feed.restart())];
    try {
      await untilAborted(this.#ready(), signal);
      if (signal?.aborted) return;
      ends.push(
        claimCalls(session, this.#tried, (_, input) => {
          feed.say(asked("tool-input-available", input, this.#answers()));
          for (const look of this.#looks) look();
        }),
      );
      const texts = new PacedChunks<Loose, Fed>(windowOf(session));
      for await (const { isNew, isLive } of changesOf(session, {
        looks: this.#looks,
        texts,
        signal,
      })) {
        if (isNew && this.#asking === 0) texts.put(feed.next(), isLive);
        for (const { chunk, run } of texts.take()) {
          if (signal?.aborted) return;
          // Joined meanwhile: `joinRun` emits the rest of this run.
          if (run === undefined || !this.#joined.has(run)) yield chunk;
        }
      }
    } finally {
      this.#feeds.delete(feed);
      for (const end of ends) end();
    }
  }

  async *#join(runId: string, signal: AbortSignal | undefined): AsyncGenerator<Loose> {
    const { session } = this;
    await untilAborted(this.#connect(), signal);
    if (signal?.aborted) return;
    const found = await this.#find(runId);
    const begin = (isAgain = false) => {
      const answer = this.#answers().of({ turn: runId, serial: "" }) ?? runId;
      const thread = this.#threadId();
      const wanted = { thread, run: runId, answer, isWhole: true, isAgain, asksPage: true };
      const chunks = new RunChunks(wanted);
      for (const feed of this.#feeds) feed.adopt(runId, chunks);
      return chunks;
    };
    let chunks = begin();
    this.#joined.add(runId);
    try {
      const texts = new PacedChunks<Loose>(windowOf(session));
      for await (const { isNew, isLive } of changesOf(session, {
        looks: this.#looks,
        texts,
        signal,
      })) {
        if (!isNew) {
          for (const { chunk } of texts.take()) yield chunk;
          continue;
        }
        const turn = session.turns.find(({ id }) => id === runId) ?? found;
        const answers = this.#answers();
        const said = saidUpTo(nodesOf(session.log, answers), runId, answers);
        const made = chunks.next(said, turn, answers).map((chunk) => ({ chunk }));
        texts.put(made, isLive && !turn.cancel);
        if (chunks.isStale) texts.flush();
        for (const { chunk } of texts.take()) yield chunk;
        if (chunks.isStale) {
          const nodes = wholeNodes(shownIn(session), answers);
          const { answer } = nodes.find(({ key }) => key === runId) ?? {};
          const others = nodes.filter((node) => answer === undefined || node.answer !== answer);
          yield snapshotOf(others, session.turns, answers);
          yield* chunks.leave(undefined);
          chunks = begin(true);
          yield* chunks.next(said, turn, answers);
        }
        if (chunks.isEnded) return;
      }
    } finally {
      this.#joined.delete(runId);
    }
  }

  /** Reads a turn, and its messages back to the beginning of its answer. */
  async #find(runId: string): Promise<Turn> {
    const { session } = this;
    const { turn } = await session.link.read<{ turn: Turn }>(`turns/${encodeURIComponent(runId)}`);
    await this.#readBack(turn.createdAt);
    await this.#readTo(turn);
    return turn;
  }

  /** Connects, and reads the running turns from their beginning. */
  async #ready(): Promise<void> {
    await this.#connect();
    const { session } = this;
    const answers = this.#answers();
    const nodes = nodesOf(branchesOf(session).messages, answers);
    const isEnough = nodes.length > 1 && wholeNodes(shownIn(session), answers).length > 0;
    const last = nodes.findLast(({ isTurn }) => isTurn);
    if (session.hasOlder && !isEnough && last) await this.#find(last.key);
    const running = session.turns.filter(isRunning);
    if (running.length > 0) await this.#readBack(Math.min(...running.map((it) => it.createdAt)));
    for (const turn of running) await this.#readTo(turn);
  }

  /** Reads the history back to the beginning of the answer that a turn continues. */
  async #readTo({ id, input = "" }: Turn): Promise<void> {
    const { session } = this;
    while (session.hasOlder && !((this.#oldest()?.serial ?? "") <= input)) {
      if ((await historyOf(session).loadOlder(PAGE)) === 0) return;
    }
    const answer = this.#answers().of({ turn: id, serial: "" });
    if (session.hasOlder && answer !== undefined && answer !== id) await this.#find(answer);
  }

  /** The oldest message without a gap after it; messages that stream are held however old. */
  #oldest(): Message | undefined {
    return this.session.log.find(({ status }) => status !== "streaming");
  }

  /** Reads the history back to a point in time. */
  async #readBack(at: number): Promise<void> {
    const { session } = this;
    while (session.hasOlder && !((this.#oldest()?.createdAt ?? at) < at)) {
      if ((await historyOf(session).loadOlder(PAGE)) === 0) return;
    }
  }

  /** Publishes the new messages of a chat; returns the serial of the message to answer. */
  async #publish(chat: ChatMessage[]): Promise<string | undefined> {
    const { session } = this;
    const last = chat.at(-1);
    if (!last) throw new SessileError("invalid-frame", "unable to send; there is no message");
    if (last.role === "assistant") return await this.#answerCalls(chat);
    const known = session.log.find((it) => (it.id ?? it.serial) === last.id)?.serial;
    if (known !== undefined) {
      await branchesOf(session).send(null, { name: AGAIN, wake: true, parent: known });
      return known;
    }
    const id = last.id === undefined ? {} : { id: last.id };
    return (await branchesOf(session).send(wellFormed(toData(last)), id)).serial;
  }

  /** Publishes the outputs of an answer's calls; those that no turn waits for in one step. */
  async #answerCalls(chat: readonly ChatMessage[]): Promise<string | undefined> {
    const { session } = this;
    const answers = this.#answers();
    const nodes = nodesOf(branchesOf(session).messages, answers);
    const news = newsOf(chat, nodes, answers);
    if (!news) return undefined;
    const left: News[] = [];
    for (const it of news) if (!(await this.#settle(it))) left.push(it);
    if (left.length === 0) return NOTHING;
    for (const { message } of left) this.#sent.add(message.id);
    const placed = await session.link.request({ type: "publish", messages: inOne(left) });
    return placed.messages.at(-1)?.serial;
  }

  /** Settles one call, if the turn of the message that asks waits for it. */
  async #settle({ asks, message: { name, data, headers } }: News): Promise<boolean> {
    if (!asks) return false;
    const askings = askingsOf(this.session);
    const { approved, reason } = fieldsOf(data) as { approved: boolean; reason?: string };
    if (name === TOOL_APPROVAL) return askings.decide(asks, approved, reason);
    const isError = headers?.state === "error";
    return askings.settle(asks, isError ? { error: data } : { output: data });
  }

  async #wake(
    chat: ChatMessage[],
    input: string | undefined,
    data: Record<string, unknown>,
    context: RunAgentInputContext,
  ): Promise<void> {
    const { api, headers, fetch: ask = fetch } = this.#options;
    if (api === undefined) return;
    const answer = await ask(api, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-run-id": context.runId,
        ...(typeof headers === "function" ? headers() : headers),
        ...context.headers,
      },
      body: JSON.stringify({ ...runInput(chat, context, data), session: this.session.id, input }),
    });
    if (!answer.ok) throw new Error(`${api} answered ${answer.status}: ${await answer.text()}`);
    // The response is drained: some platforms stop the work of a request that is abandoned.
    answer.body?.pipeTo(new WritableStream()).catch(() => {});
  }

  /** Nothing needs an answer: ends the run at once, unless an answer is in progress. */
  #skip(run: string): void {
    const { turns, log } = this.session;
    if (turns.some((turn) => isOpen(turn) && !isWaiting(turn, log))) return;
    for (const feed of this.#feeds) feed.skip(run);
    for (const look of this.#looks) look();
  }

  #letGo(run: string, input: string | undefined): void {
    if (this.#options.onAbort !== "cancel") return;
    const { session } = this;
    const isOurs = (turn: Turn) => turn.id === run || (input !== undefined && turn.input === input);
    for (const turn of session.turns) {
      if (isOpen(turn) && isOurs(turn)) session.cancel(turn.id).catch(() => {});
    }
    if (input !== undefined) session.cancel({ input }).catch(() => {});
  }
}

/** In place of a serial: nothing needs an answer. */
const NOTHING = "";
/** The number of messages in one read of history. */
const PAGE = 50;

function isMade(options: SessileConnectionOptions): options is Common & SessionOptions {
  return typeof options.session !== "object";
}

function isRunning({ status }: Turn): boolean {
  return status === "active";
}

/** The newest nodes, without splitting an answer. */
function lastOf(nodes: readonly Node[], limit: number): readonly Node[] {
  let from = Math.max(0, nodes.length - limit);
  const { answer } = nodes[from] ?? {};
  const first = nodes.findIndex((node) => answer !== undefined && node.answer === answer);
  if (first >= 0 && first < from) from = first;
  return nodes.slice(from);
}

/** The questions that the newest run is waiting on, if any. */
function interruptsOf(
  nodes: readonly Node[],
  turns: readonly Turn[],
  answers: Answers,
): Hydration["interrupts"] {
  const last = nodes.findLast(({ isTurn, answer }) => isTurn || answer === undefined);
  const turn = turns.find(({ id }) => id === last?.key);
  if (!last?.isTurn || (turn && isOpen(turn))) return null;
  const end = chunksOf(nodes, last, turn, answers).findLast(({ type }) => type === "RUN_FINISHED");
  const { type, interrupts } = fieldsOf(end?.outcome);
  if (type !== "interrupt" || !Array.isArray(interrupts)) return null;
  return { runId: last.key, pending: interrupts };
}

/** Waits for a promise, or until the signal aborts. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined) {
  if (!signal) return promise;
  promise.catch(() => {});
  return new Promise<T | undefined>((done, fail) => {
    promise.then(done, fail);
    if (signal.aborted) done(undefined);
    signal.addEventListener("abort", () => done(undefined), { once: true });
  });
}
