// Branches (P6.9): a turn is a node with all its messages, a message without a turn is a node by
// itself. Editing and regenerating make siblings; a reader sees one of each.

import type { Message, Turn } from "../protocol/index.ts";

/**
 * Says of which message a message is another version, where `parent` cannot: of the first. Only
 * from the author of both, since the newest version hides the others.
 */
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
  /** Who are its siblings: turns are apart, and so are the messages of each client. */
  readonly group: string;
  /** The key of the node that it follows; that of a message which is not held is its serial. */
  readonly parent: string;
  /** The serial of its first message, and who wrote that. */
  readonly first: string;
  readonly client: string;
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
  readonly #all: readonly M[];
  /** The keys of nodes that others follow. */
  readonly #followed = new Set<string>();

  constructor(
    messages: readonly M[],
    turns: ReadonlyMap<string, Turn>,
    selected: ReadonlyMap<string, string>,
  ) {
    this.#all = messages;
    let previous = "";
    for (const message of messages) {
      const key = message.turn ?? message.serial;
      this.#keys.set(message.serial, key);
      const isGone = message.deletedAt !== undefined;
      const node = this.#nodes.get(key);
      if (node || (isGone && message.turn)) {
        if (node && !isGone) node.last = message;
        continue;
      }
      const parent = this.#parentOf(message, turns.get(key)) ?? previous;
      const isAgain = message.name === AGAIN;
      const { serial: first, client } = message;
      const kind = message.turn ? "turn" : isAgain ? key : "message";
      const group = `${kind} ${parent}${message.turn ? "" : `\n${client}`}`;
      this.#nodes.set(key, { key, group, parent, first, client, last: message });
      this.#followed.add(parent);
      // What was deleted is no option, but what followed it still does.
      if (isGone) continue;
      this.#groups.set(group, [...(this.#groups.get(group) ?? []), key]);
      if (!isAgain) previous = key;
    }
    for (const { key, group, parent } of this.#nodes.values()) {
      const isChosen = this.#chosen(group, selected.get(group)) === key;
      const isAlone = !this.#groups.has(group);
      this.#isSeen.set(key, (isChosen || isAlone) && this.#isSeen.get(parent) !== false);
    }
    const isShown = ({ serial, turn, deletedAt }: M) =>
      deletedAt === undefined && this.#isSeen.get(turn ?? serial);
    const shown = messages.filter(isShown);
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
    const isPart = ({ key, last: { name, deletedAt } }: Node) =>
      name !== AGAIN && deletedAt === undefined && this.#isSeen.get(key);
    const seen = nodes.findLast(isPart);
    return seen === nodes.at(-1) ? undefined : seen?.last.serial;
  }

  /** The message that another one follows, for one that is to be its sibling. */
  before(serial: string): string | undefined {
    const parent = this.#node(serial)?.parent;
    return parent === undefined ? undefined : this.#nodes.get(parent)?.last.serial;
  }

  /**
   * What a page shows that looks at a message, with what a turn said in one place: a prompt. Of
   * siblings those are in it that the message follows, or the newest. Without the beginning of
   * the log (`isWhole`), what is not known to belong to it is left out; `since` is the newest of
   * that.
   */
  leadingTo(serial: string, isWhole: boolean): { messages: M[]; since: string } {
    const path = new Map<string, string>();
    for (let node = this.#node(serial); node; node = this.#nodes.get(node.parent)) {
      path.set(node.group, node.key);
    }
    const said = new Map<string, M[]>();
    const unknown = new Set<string>();
    let since = "";
    for (const { key, group, parent, first } of this.#nodes.values()) {
      const isOnPath = path.get(group) === key;
      // Another branch was left, or is older than the newest.
      if (!isOnPath && key !== (path.get(group) ?? this.#groups.get(group)?.at(-1) ?? key))
        continue;
      const isHeld = this.#nodes.has(parent);
      if (isOnPath || said.has(parent) || (isWhole && !isHeld)) said.set(key, []);
      else if (!isHeld || unknown.has(parent)) {
        unknown.add(key);
        since = first;
      }
    }
    for (const message of this.#all) {
      // Neither a tombstone nor the wish for another answer says anything.
      if (message.deletedAt !== undefined || message.name === AGAIN) continue;
      said.get(message.turn ?? message.serial)?.push(message);
    }
    return { messages: [...said.values()].flat(), since };
  }

  /** Who of a group is seen: the one that was selected, or the newest. */
  #chosen(group: string, selected: string | undefined): string | undefined {
    const options = this.#groups.get(group);
    const node = this.#nodes.get(selected ?? "");
    const isThere =
      node?.group === group && (options?.includes(node.key) || this.#followed.has(node.key));
    return isThere ? node.key : options?.at(-1);
  }

  #node(id: string): Node | undefined {
    return this.#nodes.get(this.#keys.get(id) ?? id);
  }

  /** What a message says of what it follows; without a word it follows what came before it. */
  #parentOf(message: Message, turn: Turn | undefined): string | undefined {
    const edited = message.headers?.[EDITS];
    const sibling = edited === undefined ? undefined : this.#node(edited);
    if (sibling?.client === message.client) return sibling.parent;
    // One that is not held is nobody's child here, nor is what it was before an edit.
    if (edited !== undefined && !sibling && !message.parent) return edited;
    const serial = turn?.input ?? turn?.parent ?? message.parent;
    return serial === undefined ? undefined : (this.#keys.get(serial) ?? serial);
  }
}
