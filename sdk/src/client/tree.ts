// Branches (P6.9): a turn is a node with all its messages, a message without a turn is a node by
// itself. Editing and regenerating make siblings; a reader sees one of each.

import type { Message, Turn } from "../protocol/index.ts";

/** Says of which message a message is another version, where `parent` cannot: of the first. */
export const EDITS = "sessile-edits";

/** The name of a message that asks for another answer to its parent. Nothing follows it. */
export const AGAIN = "regenerate";

/** The branches at a place. */
export interface Branches {
  /** What can be selected, the oldest first: the serials of messages, or the ids of turns. */
  readonly options: readonly string[];
  /** Which of them is shown. */
  readonly index: number;
}

interface Node {
  readonly key: string;
  /** Who are its siblings: turns and messages are apart. */
  readonly group: string;
  /** The key of the node that it follows; that of a message which is not held is its serial. */
  readonly parent: string;
  last: Message;
}

/** The nodes of a log and which of them are seen. Made anew when anything changes. */
export class Tree<M extends Message> {
  /** What is seen, in the log's order, without tombstones. */
  readonly messages: readonly M[];
  readonly #nodes = new Map<string, Node>();
  /** Siblings by their group. */
  readonly #groups = new Map<string, string[]>();
  readonly #keys = new Map<string, string>();
  readonly #isSeen = new Map<string, boolean>();

  constructor(
    messages: readonly M[],
    turns: ReadonlyMap<string, Turn>,
    selected: ReadonlyMap<string, string>,
  ) {
    let previous = "";
    const there = messages.filter(({ deletedAt }) => deletedAt === undefined);
    for (const message of there) {
      const key = message.turn ?? message.serial;
      this.#keys.set(message.serial, key);
      const node = this.#nodes.get(key);
      if (node) {
        node.last = message;
        continue;
      }
      const parent = this.#parentOf(message, turns.get(key)) ?? previous;
      const isAgain = message.name === AGAIN;
      const group = `${message.turn ? "turn" : isAgain ? key : "message"} ${parent}`;
      this.#nodes.set(key, { key, group, parent, last: message });
      this.#groups.set(group, [...(this.#groups.get(group) ?? []), key]);
      if (!isAgain) previous = key;
    }
    for (const { key, group, parent } of this.#nodes.values()) {
      const options = this.#groups.get(group) ?? [];
      // What was selected may be gone; the newest is shown where nothing is.
      const chosen = options.find((it) => it === selected.get(group)) ?? options.at(-1);
      this.#isSeen.set(key, chosen === key && this.#isSeen.get(parent) !== false);
    }
    const shown = there.filter(({ serial, turn }) => this.#isSeen.get(turn ?? serial));
    this.messages = shown.length === messages.length ? messages : shown;
  }

  /** The siblings of a message or of its turn, which may be named instead. */
  branches(id: string): Branches {
    const node = this.#node(id);
    const options = this.#groups.get(node?.group ?? "") ?? [];
    return { options, index: options.findIndex((key) => this.#isSeen.get(key)) };
  }

  /** The group that a choice is about, and the choice. */
  choice(id: string): [group: string, key: string] | undefined {
    const node = this.#node(id);
    return node && [node.group, node.key];
  }

  /**
   * What a new message has to name as its parent so that it follows what is seen; nothing if it
   * does by itself, since the newest in the log is seen.
   */
  get head(): string | undefined {
    const nodes = [...this.#nodes.values()];
    const isPart = ({ key, last }: Node) => last.name !== AGAIN && this.#isSeen.get(key);
    const seen = nodes.findLast(isPart);
    return seen === nodes.at(-1) ? undefined : seen?.last.serial;
  }

  /** The message that another one follows, for one that is to be its sibling. */
  before(serial: string): string | undefined {
    const parent = this.#node(serial)?.parent;
    return parent === undefined ? undefined : this.#nodes.get(parent)?.last.serial;
  }

  #node(id: string): Node | undefined {
    return this.#nodes.get(this.#keys.get(id) ?? id);
  }

  /** What a message says of what it follows; without a word it follows what came before it. */
  #parentOf(message: Message, turn: Turn | undefined): string | undefined {
    const edited = message.headers?.[EDITS];
    const sibling = edited === undefined ? undefined : this.#node(edited);
    if (sibling) return sibling.parent;
    const serial = turn?.input ?? turn?.parent ?? message.parent;
    return serial === undefined ? undefined : (this.#keys.get(serial) ?? serial);
  }
}
