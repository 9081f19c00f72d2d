// Tells one subscription of a session: first what there is, then what becomes of it. The whole
// transcript says what chunks cannot, such as another branch.

import type { Answers } from "../answer/answers.ts";
import type { Loose } from "../answer/fields.ts";
import { isWaiting } from "../answer/settled.ts";
import type { Session } from "../client/session.ts";
import { isOpen, type Message, TOOL_APPROVAL, type Turn } from "../protocol/index.ts";
import { RunChunks } from "./chunks.ts";
import { resultOf } from "./events.ts";
import type { Node } from "./nodes.ts";
import { chatOf, type Shown, saidUpTo, wholeNodes } from "./transcript.ts";

/** The subscriptions of a connection know this of its other calls. */
export interface Known {
  readonly session: Pick<Session, "log">;
  /** The branch that is seen. */
  shown(): Shown;
  answers(): Answers;
  /** The thread that the page calls the session. */
  thread(): string;
  /** Ids of messages and runs that came from the page itself. */
  readonly sent: ReadonlySet<string>;
  /** Runs that `joinRun` tells right now. */
  readonly joined: ReadonlySet<string>;
  /** Whether the page has the transcript from `hydrate`. */
  hasTranscript(): boolean;
}

/** A chunk, and the run that it is of. */
export interface Fed {
  chunk: Loose;
  run?: string;
}

/** The session as one look at it finds it. */
interface Seen {
  turns: readonly Turn[];
  nodes: readonly Node[];
  /** The same by their keys. */
  byKey: ReadonlyMap<string, Node>;
  answers: Answers;
}

/** How long after a transcript a message may have been on its way to `send`. */
const RACE_MS = 1_000;

export class Feed {
  readonly #known: Known;
  /** Of each node that was told, what its messages held. */
  #told = new Map<string, readonly unknown[]>();
  #runs = new Map<string, RunChunks>();
  /** Everything before this was there when the page came. */
  #start = "";
  #hasBegun = false;
  /** The messages and turns as they were when they were last looked at. */
  #messages: readonly Message[] = [];
  #turns: readonly Turn[] = [];
  #isStale = false;
  /** The data that was told of turns that wait. */
  readonly #paused = new Map<string, readonly unknown[]>();
  /** Runs that were begun before all was told. */
  #again = new Set<string>();
  #isAsking = false;
  readonly #skipped: Fed[] = [];
  #snapshotAt = 0;

  constructor(known: Known) {
    this.#known = known;
  }

  /** Another call tells a run from here on, or did so far. */
  adopt(run: string, chunks: RunChunks): void {
    this.#runs.set(run, chunks);
  }

  /** A run that has nothing to do is over at once. */
  skip(runId: string): void {
    const ids = { threadId: this.#known.thread(), runId };
    const end = { type: "RUN_FINISHED", ...ids, outcome: { type: "success" } };
    this.#skipped.push({ chunk: { type: "RUN_STARTED", ...ids } }, { chunk: end });
  }

  /** Tells one more thing, which is of no run. */
  say(chunk: Loose): void {
    this.#skipped.push({ chunk });
  }

  /** Tells the whole transcript before anything else. */
  restart(): void {
    this.#isStale = true;
  }

  /** The page is about to ask for an answer: it forgets what it knows of texts that still grow. */
  asked(): void {
    const isRacing = Date.now() - this.#snapshotAt < RACE_MS;
    if (!isRacing && !this.#isTelling()) return;
    this.#isAsking = true;
    this.restart();
  }

  /** The new chunks. */
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

  /** The outputs of pages, once their calls were told. */
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

  /** Everything but what is still being said, which is told from its beginning after that. */
  #tellAll(seen: Seen, fed: Fed[]): void {
    this.#isStale = false;
    this.#snapshotAt = Date.now();
    fed.push({ chunk: this.#snapshot(seen) });
    const running = [...this.#runs].filter(([, { isEnded }]) => !isEnded);
    // Open parts are gone from the chat; a check of the events wants to see them end.
    const turns = new Map(seen.turns.map((turn) => [turn.id, turn]));
    for (const [run, chunks] of running) {
      fed.push(...chunks.leave(turns.get(run)).map((chunk) => ({ chunk, run })));
    }
    // That a run was begun is known, unless the client counts several from here on.
    const isKnown = running.length === 1 && !this.#isAsking;
    this.#again = new Set(isKnown ? running.map(([run]) => run) : []);
    this.#isAsking = false;
    const open = openOf(seen.turns);
    this.#runs = new Map([...this.#runs].filter(([id, it]) => it.isPaused && open.has(id)));
    this.#mark(seen);
  }

  /** The transcript, with what turns said before they paused. */
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

  /** Whether nothing is different but what open turns say, and what came at the end. */
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

  /** Whether something that was told is gone, or another: another branch, an edit, a deletion. */
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

  /** Whether events can say it, and the page does not take it for the end of what it waits for. */
  #isPlain(node: Node, answers: Answers): boolean {
    const [first] = node.messages;
    if (node.answer !== undefined) return first?.name !== TOOL_APPROVAL;
    const [message] = chatOf([node], [], answers);
    return !this.#isQuiet() && message?.parts.length === 1 && message.parts[0]?.type === "text";
  }

  #isNew(node: Node): boolean {
    if (this.#told.has(node.key)) return false;
    const isOwn = this.#known.sent.has(node.key);
    // Read back from history, or shown by the page before it was sent.
    if (!isOwn && !isOlder(node, this.#start)) return true;
    this.#told.set(node.key, dataOf(node));
    return false;
  }

  /** Whether the page waits for nothing, and takes what comes for the end of what was. */
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

/** The transcript as one chunk, without what is still being said. */
export function snapshotOf(
  nodes: readonly Node[],
  turns: readonly Turn[],
  answers: Answers,
): Loose {
  const open = openOf(turns);
  const there = nodes.filter(({ key }) => !open.has(key));
  return { type: "MESSAGES_SNAPSHOT", messages: chatOf(there, turns, answers) };
}

/** Turns that speak, or may speak again. */
function openOf(turns: readonly Turn[]): Set<string> {
  return new Set(turns.filter((turn) => isOpen(turn)).map(({ id }) => id));
}

function isOlder({ serial }: Node, start: string): boolean {
  return serial <= start;
}

/** The part of a node that was told. */
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
