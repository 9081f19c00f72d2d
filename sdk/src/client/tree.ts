// Branches (P6.9): a turn is a node with all its messages, a message without a turn is a node by
// itself. Editing and regenerating make siblings; a reader sees one of each.

import type { Message, Turn } from "../protocol/index.ts";

/** Says of which message a message is another version, where `parent` cannot: of the first. */
export const EDITS = "sessile-edits";

/** The branches at a place. */
export interface Branches {
  /** What can be selected, the oldest first: the serials of messages, or the ids of turns. */
  readonly options: readonly string[];
  /** Which of them is shown. */
  readonly index: number;
}

interface Node {
  readonly key: string;
  readonly isTurn: boolean;
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
      const turn = message.turn === undefined ? undefined : turns.get(message.turn);
      const isTurn = message.turn !== undefined;
      const parent = this.#parentOf(message, turn) ?? previous;
      this.#add({ key, isTurn, parent, last: message });
      previous = key;
    }
    const isSeen = new Map<string, boolean>();
    for (const [key, node] of this.#nodes) {
      const group = groupOf(node);
      const chosen = selected.get(group) ?? this.#groups.get(group)?.at(-1);
      isSeen.set(key, chosen === key && (isSeen.get(node.parent) ?? true));
    }
    const shown = there.filter(({ serial, turn }) => isSeen.get(turn ?? serial));
    this.messages = shown.length === messages.length ? messages : shown;
  }

  /** The siblings of a message or of its turn, which may be named instead. */
  branches(id: string): Branches {
    const node = this.#node(id);
    const options = node ? (this.#groups.get(groupOf(node)) ?? []) : [];
    const shown = new Set(this.messages.map((message) => message.turn ?? message.serial));
    return { options, index: options.findIndex((key) => shown.has(key)) };
  }

  /** The group that a choice is about, and the choice. */
  choice(id: string): [group: string, key: string] | undefined {
    const node = this.#node(id);
    return node && [groupOf(node), node.key];
  }

  /**
   * What a new message has to name as its parent so that it follows what is seen; nothing if it
   * does by itself, being the next in the log.
   */
  get head(): string | undefined {
    const shown = this.messages.at(-1);
    const newest = [...this.#nodes.keys()].at(-1);
    return shown && (shown.turn ?? shown.serial) !== newest ? shown.serial : undefined;
  }

  /** The message that another one follows, for one that is to be its sibling. */
  before(serial: string): string | undefined {
    const parent = this.#node(serial)?.parent;
    return parent === undefined ? undefined : this.#nodes.get(parent)?.last.serial;
  }

  #node(id: string): Node | undefined {
    return this.#nodes.get(this.#keys.get(id) ?? id);
  }

  #add(node: Node): void {
    this.#nodes.set(node.key, node);
    const group = groupOf(node);
    const siblings = this.#groups.get(group);
    if (siblings) siblings.push(node.key);
    else this.#groups.set(group, [node.key]);
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

function groupOf({ isTurn, parent }: Node): string {
  return `${isTurn ? "turn" : "message"} ${parent}`;
}
