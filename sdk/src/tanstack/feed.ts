// What one subscription tells of a session: first what there is, then what becomes of it. What
// chunks cannot say, such as another branch, is said by the whole transcript.

import type { Loose } from "../ai-sdk/output.ts";
import type { Session } from "../client/session.ts";
import { isOpen, type Message, type Turn } from "../protocol/index.ts";
import { RunChunks } from "./chunks.ts";
import { chatOf, type Node, wholeNodes } from "./transcript.ts";

/** What the subscriptions of a connection know of its other calls. */
export interface Known {
  readonly session: Session;
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

/** How long after a transcript a message may have been on its way to `send`. */
const RACE_MS = 1_000;

export class Feed {
  readonly #known: Known;
  /** Of each node that was told, what its messages held. */
  #told = new Map<string, readonly unknown[]>();
  #runs = new Map<string, RunChunks>();
  /** What lies before this was there when the page came. */
  #start = "";
  #hasBegun = false;
  #isStale = false;
  #snapshotAt = 0;

  constructor(known: Known) {
    this.#known = known;
  }

  /** Another call tells a run from here on, or did so far. */
  adopt(run: string, chunks: RunChunks): void {
    this.#runs.set(run, chunks);
  }

  /** Tells the whole transcript before anything else. */
  restart(): void {
    this.#isStale = true;
  }

  /** The page is about to ask for an answer: it forgets what it knows of texts that still grow. */
  asked(): void {
    const isRacing = Date.now() - this.#snapshotAt < RACE_MS;
    if (isRacing || this.#isTelling()) this.restart();
  }

  /** What is new. */
  next(): Fed[] {
    const shown = this.#known.session.getSnapshot();
    const { messages, turns } = shown;
    const nodes = wholeNodes(shown);
    const fed: Fed[] = [];
    if (!this.#hasBegun) this.#begin(nodes, turns, fed);
    else if (this.#isStale || this.#isChanged(nodes, turns)) this.#tellAll(nodes, turns, fed);
    const isNew = (node: Node) => !node.isTurn && this.#isNew(node);
    const isOdd = (node: Node) => isNew(node) && (this.#isQuiet() || !isPlain(node));
    if (nodes.some(isOdd)) {
      fed.length = 0;
      this.#tellAll(nodes, turns, fed);
    }
    for (const node of nodes.filter(isNew)) {
      this.#told.set(node.key, dataOf(node));
      fed.push(...sayPerson(node));
    }
    for (const turn of turns) this.#tellRun(turn, nodes, messages, fed);
    return this.#isStale ? this.next() : fed;
  }

  #begin(nodes: Node[], turns: readonly Turn[], fed: Fed[]): void {
    this.#hasBegun = true;
    if (this.#known.hasTranscript() || nodes.length === 0) this.#mark(nodes, turns);
    else this.#tellAll(nodes, turns, fed);
  }

  /** Everything but what is still being said, which is told from its beginning after that. */
  #tellAll(nodes: Node[], turns: readonly Turn[], fed: Fed[]): void {
    this.#isStale = false;
    this.#snapshotAt = Date.now();
    this.#runs = new Map();
    this.#mark(nodes, turns);
    fed.push({ chunk: snapshotOf(nodes, turns) });
  }

  #mark(nodes: Node[], turns: readonly Turn[]): void {
    this.#start = this.#known.session.log.at(-1)?.serial ?? "";
    const open = openOf(turns);
    const there = nodes.filter(({ key }) => !open.has(key));
    this.#told = new Map(there.map((node) => [node.key, dataOf(node)]));
  }

  /** Whether something that was told is gone, or another: another branch, an edit, a deletion. */
  #isChanged(nodes: Node[], turns: readonly Turn[]): boolean {
    const open = openOf(turns);
    const there = new Map(nodes.map((node) => [node.key, node]));
    return [...this.#told].some(([key, told]) => {
      const node = there.get(key);
      if (!node) return true;
      if (open.has(key) || this.#known.joined.has(key)) return false;
      const now = dataOf(node);
      return now.length !== told.length || now.some((data, at) => data !== told[at]);
    });
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

  #tellRun(turn: Turn, nodes: Node[], messages: readonly Message[], fed: Fed[]): void {
    const { id } = turn;
    const { joined, session } = this.#known;
    if (joined.has(id) || turn.status === "queued") return;
    const node = nodes.find(({ key }) => key === id);
    let run = this.#runs.get(id);
    if (!run) {
      if (this.#told.has(id) || !(isOpen(turn) || (node && !isOlder(node, this.#start)))) return;
      if (this.#isQuiet() && !this.#isOwn(turn, messages) && fed.length === 0) {
        this.#tellAll(nodes, session.turns, fed);
        if (!isOpen(turn)) return;
      }
      run = new RunChunks(this.#known.thread(), id);
      this.#runs.set(id, run);
    }
    if (run.isEnded) {
      if (node && !this.#told.has(id)) this.#told.set(id, dataOf(node));
      return;
    }
    const chunks = run.next(node?.messages ?? [], turn);
    if (chunks) fed.push(...chunks.map((chunk) => ({ chunk, run: id })));
    else this.restart();
    if (run.isEnded && node) this.#told.set(id, dataOf(node));
  }

  #isOwn({ id, input }: Turn, messages: readonly Message[]): boolean {
    const { sent } = this.#known;
    const asked = messages.find(({ serial }) => serial === input);
    return sent.has(id) || (asked?.id !== undefined && sent.has(asked.id));
  }
}

/** The transcript as one chunk, without what is still being said. */
export function snapshotOf(nodes: readonly Node[], turns: readonly Turn[]): Loose {
  const open = openOf(turns);
  const there = nodes.filter(({ key }) => !open.has(key));
  return { type: "MESSAGES_SNAPSHOT", messages: chatOf(there, turns) };
}

/** Turns that speak, or may speak again. */
function openOf(turns: readonly Turn[]): Set<string> {
  return new Set(turns.filter((turn) => isOpen(turn)).map(({ id }) => id));
}

function isOlder({ serial }: Node, start: string): boolean {
  return serial <= start;
}

function dataOf({ messages }: Node): unknown[] {
  return messages.map(({ data }) => data);
}

/** Whether the events of a text can say it. */
function isPlain(node: Node): boolean {
  const [message] = chatOf([node], []);
  return message?.parts.length === 1 && message.parts[0]?.type === "text";
}

function sayPerson(node: Node): Fed[] {
  const [message] = chatOf([node], []);
  const { id: messageId, role, parts } = message ?? { id: node.key, role: "user", parts: [] };
  const delta = parts[0]?.content;
  const start = { type: "TEXT_MESSAGE_START", messageId, role };
  const content = { type: "TEXT_MESSAGE_CONTENT", messageId, delta };
  return [start, content, { type: "TEXT_MESSAGE_END", messageId }].map((chunk) => ({ chunk }));
}
