// The chunks of one subscription: first the state of the session, then its changes. Changes that no
// chunk can express, such as another branch, are sent as a snapshot of the whole transcript.

import type { Answers } from "../answer/answers.ts";
import type { Loose } from "../answer/fields.ts";
import { isWaiting } from "../answer/settled.ts";
import type { Session } from "../client/session.ts";
import { isOpen, type Message, TOOL_APPROVAL, type Turn } from "../protocol/index.ts";
import { RunChunks } from "./chunks.ts";
import { resultOf } from "./events.ts";
import type { Node } from "./nodes.ts";
import { chatOf, type Shown, saidUpTo, wholeNodes } from "./transcript.ts";

/** State of the connection that its subscriptions share. */
export interface Known {
  readonly session: Pick<Session, "log">;
  /** The branch on screen. */
  shown(): Shown;
  answers(): Answers;
  /** The thread id that the page uses for the session. */
  thread(): string;
  /** Ids of messages and runs that came from the page itself. */
  readonly sent: ReadonlySet<string>;
  /** Runs that `joinRun` is emitting. */
  readonly joined: ReadonlySet<string>;
  /** Whether the page has the transcript from `hydrate`. */
  hasTranscript(): boolean;
}

/** A chunk, and its run. */
export interface Fed {
  chunk: Loose;
  run?: string;
}

/** The session at one moment. */
interface Seen {
  turns: readonly Turn[];
  nodes: readonly Node[];
  /** The nodes by key. */
  byKey: ReadonlyMap<string, Node>;
  answers: Answers;
}

/** A message sent this soon after a snapshot may have been written without it. */
const RACE_MS = 1_000;

export class Feed {
  readonly #known: Known;
  /** The data of the messages of each emitted node, by key. */
  #told = new Map<string, readonly unknown[]>();
  #runs = new Map<string, RunChunks>();
  /** The end of the log when the page arrived. */
  #start = "";
  #hasBegun = false;
  /** The messages and turns of the previous call. */
  #messages: readonly Message[] = [];
  #turns: readonly Turn[] = [];
  #isStale = false;
  /** The emitted data of waiting turns. */
  readonly #paused = new Map<string, readonly unknown[]>();
  /** Runs that had begun before the last snapshot. */
  #again = new Set<string>();
  #isAsking = false;
  readonly #skipped: Fed[] = [];
  #snapshotAt = 0;

  constructor(known: Known) {
    this.#known = known;
  }

  /** Hands a run over to, or takes it from, `joinRun`. */
  adopt(run: string, chunks: RunChunks): void {
    this.#runs.set(run, chunks);
  }

  /** Begins and ends a run that has nothing to do. */
  skip(runId: string): void {
    const ids = { threadId: this.#known.thread(), runId };
    const end = { type: "RUN_FINISHED", ...ids, outcome: { type: "success" } };
    this.#skipped.push({ chunk: { type: "RUN_STARTED", ...ids } }, { chunk: end });
  }

  /** Adds a chunk outside any run. */
  say(chunk: Loose): void {
    this.#skipped.push({ chunk });
  }

  /** Makes the next chunk a snapshot. */
  restart(): void {
    this.#isStale = true;
  }

  /** Called before the page requests an answer, when it forgets unfinished texts. */
  asked(): void {
    const isRacing = Date.now() - this.#snapshotAt < RACE_MS;
    if (!isRacing && !this.#isTelling()) return;
    this.#isAsking = true;
    this.restart();
  }

  /** Returns the new chunks. */
  next(): Fed[] {
    const shown = this.#known.shown();
    const { turns } = shown;
    const answers = this.#known.answers();
    const nodes = wholeNodes(shown, answers);
    const byKey = new Map(nodes.map((node) => [node.key, node]));
    const seen: Seen = { turns, nodes, byKey, answers };
    const isStill = this.#isStill(shown);
    const fed = this.#skipped.splice(0);
    if (!this.#hasBegun) this.#begin(seen, fed);
    else if (this.#isStale || (!isStill && this.#isChanged(seen))) this.#tellAll(seen, fed);
    const isNew = (node: Node) => !node.isTurn && this.#isNew(node);
    const isOdd = (node: Node) => isNew(node) && !this.#isPlain(node, answers);
    if (nodes.some(isOdd)) this.#tellAll(seen, fed);
    for (const node of nodes.filter((it) => it.answer === undefined && isNew(it))) {
      this.#told.set(node.key, dataOf(node));
      fed.push(...sayPerson(node, answers));
    }
    const outputs = nodes.filter(isNew);
    for (const turn of turns) {
      const answer = answers.of({ turn: turn.id, serial: "" });
      const begun = byKey.get(turn.id)?.serial;
      const isBefore = (it: Node) =>
        it.answer === answer && (begun === undefined || it.serial < begun) && isNew(it);
      if (outputs.length > 0) this.#tellOutputs(outputs.filter(isBefore), seen, fed);
      this.#tellRun(turn, seen, shown.messages, fed);
    }
    this.#tellOutputs(outputs.filter(isNew), seen, fed);
    return this.#isStale ? [...fed, ...this.next()] : fed;
  }

  /** Emits the outputs of pages, once their calls were emitted. */
  #tellOutputs(outputs: readonly Node[], { nodes, answers }: Seen, fed: Fed[]): void {
    for (const node of outputs) {
      const isOpen = ({ key, answer }: Node) =>
        answer === node.answer && this.#runs.get(key)?.isEnded === false;
      if (nodes.some(isOpen)) continue;
      this.#told.set(node.key, dataOf(node));
      fed.push(...sayOutput(node, answers));
    }
  }

  #begin(seen: Seen, fed: Fed[]): void {
    this.#hasBegun = true;
    if (this.#known.hasTranscript() || seen.nodes.length === 0) this.#mark(seen);
    else this.#tellAll(seen, fed);
  }

  /** Emits a snapshot without the open turns, which are then replayed from their beginning. */
  #tellAll(seen: Seen, fed: Fed[]): void {
    this.#isStale = false;
    this.#snapshotAt = Date.now();
    fed.push({ chunk: this.#snapshot(seen) });
    const running = [...this.#runs].filter(([, { isEnded }]) => !isEnded);
    // A snapshot removes open parts from the chat, but validators of events expect their ends.
    const turns = new Map(seen.turns.map((turn) => [turn.id, turn]));
    for (const [run, chunks] of running) {
      fed.push(...chunks.leave(turns.get(run)).map((chunk) => ({ chunk, run })));
    }
    // The client remembers that one run has begun, but not which of several.
    const isKnown = running.length === 1 && !this.#isAsking;
    this.#again = new Set(isKnown ? running.map(([run]) => run) : []);
    this.#isAsking = false;
    const open = openOf(seen.turns);
    this.#runs = new Map([...this.#runs].filter(([id, it]) => it.isPaused && open.has(id)));
    this.#mark(seen);
  }

  /** The transcript, with the messages of paused turns. */
  #snapshot({ nodes, turns, answers }: Seen): Loose {
    const paused = openOf(turns);
    const said = nodes.flatMap((node) => {
      if (!paused.has(node.key)) return [node];
      const run = this.#runs.get(node.key);
      return run?.isPaused ? [toldOf(node, run)] : [];
    });
    return { type: "MESSAGES_SNAPSHOT", messages: chatOf(said, turns, answers) };
  }

  #mark({ nodes, turns }: Seen): void {
    this.#start = this.#known.session.log.at(-1)?.serial ?? "";
    const open = openOf(turns);
    const there = nodes.filter(({ key }) => !open.has(key));
    this.#told = new Map(there.map((node) => [node.key, dataOf(node)]));
  }

  /** Whether only the messages of open turns changed, and messages were appended. */
  #isStill({ messages, turns }: Shown): boolean {
    const was = this.#messages;
    const isSame = turns === this.#turns;
    this.#messages = messages;
    this.#turns = turns;
    if (!isSame || messages.length < was.length) return false;
    const open = openOf(turns);
    return was.every((held, at) => {
      const is = messages[at];
      return is === held || (is?.serial === held.serial && open.has(is.turn ?? ""));
    });
  }

  /** Whether an emitted node is gone or different: another branch, an edit, a deletion. */
  #isChanged({ byKey, turns }: Seen): boolean {
    const open = openOf(turns);
    return [...this.#told].some(([key, told]) => {
      const node = byKey.get(key);
      if (!node) return true;
      if (open.has(key) || this.#known.joined.has(key)) return false;
      const now = dataOf(node);
      return now.length !== told.length || now.some((data, at) => data !== told[at]);
    });
  }

  /** Whether events can express a node, without the page taking it for the awaited answer's end. */
  #isPlain(node: Node, answers: Answers): boolean {
    const [first] = node.messages;
    if (node.answer !== undefined) return first?.name !== TOOL_APPROVAL;
    const [message] = chatOf([node], [], answers);
    return !this.#isQuiet() && message?.parts.length === 1 && message.parts[0]?.type === "text";
  }

  #isNew(node: Node): boolean {
    if (this.#told.has(node.key)) return false;
    const isOwn = this.#known.sent.has(node.key);
    // It was read from history, or the page showed it before sending it.
    if (!isOwn && !isOlder(node, this.#start)) return true;
    this.#told.set(node.key, dataOf(node));
    return false;
  }

  /** Whether no run is in progress, so that the page would append events to the last answer. */
  #isQuiet(): boolean {
    return !this.#isTelling() && this.#known.joined.size === 0;
  }

  #isTelling(): boolean {
    return [...this.#runs.values()].some(({ isEnded }) => !isEnded);
  }

  #tellRun(turn: Turn, seen: Seen, messages: readonly Message[], fed: Fed[]): void {
    const { id } = turn;
    const { nodes, byKey, answers } = seen;
    const { joined } = this.#known;
    const node = byKey.get(id);
    const isNew = turn.status === "queued" && !isWaiting(turn, node?.messages ?? []);
    if (joined.has(id) || isNew) return;
    let run = this.#runs.get(id);
    if (!run) {
      if (this.#told.has(id) || !(isOpen(turn) || (node && !isOlder(node, this.#start)))) return;
      const isOwn = this.#isOwn(turn, messages);
      if (this.#isQuiet() && !isOwn && fed.length === 0) {
        this.#tellAll(seen, fed);
        if (!isOpen(turn)) return;
      }
      const isAgain = this.#again.delete(id);
      const answer = answers.of({ turn: id, serial: "" }) ?? id;
      const thread = this.#known.thread();
      run = new RunChunks({ thread, run: id, answer, isAgain, asksPage: isOwn });
      this.#runs.set(id, run);
    }
    const said = saidUpTo(nodes, id, answers);
    if (run.isEnded && node) this.#tellSettled(node, run, seen, fed);
    if (run.isEnded && !run.resumes(turn, said)) {
      if (node && !isOpen(turn) && !this.#told.has(id)) this.#told.set(id, dataOf(node));
      return;
    }
    const chunks = run.next(said, turn, answers);
    fed.push(...chunks.map((chunk) => ({ chunk, run: id })));
    if (run.isStale) this.restart();
    if (run.isPaused && node) this.#paused.set(id, dataOf(toldOf(node, run)));
    else if (run.isEnded && node) this.#told.set(id, dataOf(node));
  }

  /** Tells news of the questions of a turn that waits: no event says them. */
  #tellSettled(node: Node, run: RunChunks, seen: Seen, fed: Fed[]): void {
    const { key } = node;
    if (this.#told.has(key)) return;
    const now = dataOf(toldOf(node, run));
    const was = this.#paused.get(key);
    this.#paused.set(key, now);
    if (was?.some((data, at) => data !== now[at])) fed.push({ chunk: this.#snapshot(seen) });
  }

  #isOwn({ id, input }: Turn, messages: readonly Message[]): boolean {
    const { sent } = this.#known;
    const asked = messages.find(({ serial }) => serial === input);
    return sent.has(id) || (asked?.id !== undefined && sent.has(asked.id));
  }
}

/** The transcript as one chunk, without open turns. */
export function snapshotOf(
  nodes: readonly Node[],
  turns: readonly Turn[],
  answers: Answers,
): Loose {
  const open = openOf(turns);
  const there = nodes.filter(({ key }) => !open.has(key));
  return { type: "MESSAGES_SNAPSHOT", messages: chatOf(there, turns, answers) };
}

/** The ids of open turns. */
function openOf(turns: readonly Turn[]): Set<string> {
  return new Set(turns.filter((turn) => isOpen(turn)).map(({ id }) => id));
}

function isOlder({ serial }: Node, start: string): boolean {
  return serial <= start;
}

/** The emitted part of a node. */
function toldOf(node: Node, run: RunChunks): Node {
  return { ...node, messages: node.messages.filter((message) => run.has(message)) };
}

function dataOf({ messages }: Node): unknown[] {
  return messages.map(({ data }) => data);
}

function sayPerson(node: Node, answers: Answers): Fed[] {
  const [message] = chatOf([node], [], answers);
  const { id: messageId, role, parts } = message ?? { id: node.key, role: "user", parts: [] };
  const delta = parts[0]?.content;
  const start = { type: "TEXT_MESSAGE_START", messageId, role };
  const content = { type: "TEXT_MESSAGE_CONTENT", messageId, delta };
  return [start, content, { type: "TEXT_MESSAGE_END", messageId }].map((chunk) => ({ chunk }));
}

function sayOutput({ messages }: Node, answers: Answers): Fed[] {
  return messages.flatMap((message) => resultOf(message, answers)).map((chunk) => ({ chunk }));
}
