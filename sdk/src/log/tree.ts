// Branches (P6.9): a turn is a node with all its messages, a message without a turn is a node by
// itself. Editing and regenerating make siblings; a reader sees one of each.

import { AGAIN, EDITS, type Message, type Turn } from "../protocol/index.ts";
import { placeIn } from "./list.ts";

/** The branches at a place. */
export interface Branches {
  /** The nodes to select from, the oldest first: serials of messages, or ids of turns. */
  readonly options: readonly string[];
  /** Which of them is shown. */
  readonly index: number;
}

/** The differences in a log since a tree last took it. */
export interface News {
  /** The serials of messages with changed content. */
  readonly changed: ReadonlySet<string>;
  /** The start of the messages added at the end. */
  readonly from: number;
  /** The ids of turns that are new, gone, or follow something else. */
  readonly turns: ReadonlySet<string>;
  /** Whether messages are linked differently, are gone, or were inserted elsewhere. */
  readonly isOther: boolean;
}

/** Whether a message is still linked as it was: then only its content differs. */
export function isLinkedAlike(was: Message, is: Message): boolean {
  const linksOf = ({ turn, parent, name, client, headers, deletedAt }: Message) =>
    [turn, parent, name, client, headers?.[EDITS], deletedAt] as const;
  const links = linksOf(is);
  return linksOf(was).every((link, at) => link === links[at]);
}

interface Node {
  readonly key: string;
  /** The group of its siblings: turns are apart, and so are the messages of each client. */
  readonly group: string;
  /** The key of the node that it follows; that of a message which is not held is its serial. */
  readonly parent: string;
  /** The serial of its first message, and who wrote that. */
  readonly first: string;
  readonly client: string;
  /** A node that was deleted is no option, but those that followed it still follow it. */
  readonly isOption: boolean;
  /** The serial of its last message, and whether something may follow that. */
  last: string;
  isPart: boolean;
}

/** The nodes of a log, and the visible ones. */
export class Tree<M extends Message> {
  /** The messages seen, in the log's order, without tombstones; a new list at each change. */
  messages: readonly M[];
  readonly #nodes = new Map<string, Node>();
  /** Siblings by their group. */
  readonly #groups = new Map<string, string[]>();
  readonly #keys = new Map<string, string>();
  readonly #isSeen = new Map<string, boolean>();
  readonly #selected: ReadonlyMap<string, string>;
  #all: readonly M[];
  #turns: ReadonlyMap<string, Turn>;
  /** The keys of nodes that others follow. */
  readonly #followed = new Set<string>();
  /** Groups with a node of which only a tombstone is left. */
  readonly #gone = new Set<string>();
  /** The node that the next one follows by itself, and the one that began last. */
  #previous = "";
  #newest: Node | undefined;

  constructor(
    messages: readonly M[],
    turns: ReadonlyMap<string, Turn>,
    selected: ReadonlyMap<string, string>,
  ) {
    this.#all = messages;
    this.#turns = turns;
    this.#selected = selected;
    for (const message of messages) this.#join(message);
    const chosen = new Map<string, string | undefined>();
    for (const { key, group, parent } of this.#nodes.values()) {
      if (!chosen.has(group)) chosen.set(group, this.#chosen(group, selected.get(group)));
      // Where only tombstones are left and none was selected, what follows them is all there is.
      const isSeen = (chosen.get(group) ?? key) === key;
      this.#isSeen.set(key, isSeen && this.#isSeen.get(parent) !== false);
    }
    const shown = messages.filter((message) => this.#isShown(message));
    this.messages = shown.length === messages.length ? messages : shown;
  }

  /**
   * Applies the changes, at their cost. Returns false where they would change the visibility of
   * other nodes: then a new tree is needed.
   */
  follow(all: readonly M[], turns: ReadonlyMap<string, Turn>, news: News): boolean {
    if (news.isOther || [...news.turns].some((id) => this.#nodes.has(id))) return false;
    const isWhole = this.messages === this.#all;
    const hidden = new Set<string>();
    this.#turns = turns;
    this.#all = all;
    const added = all.slice(news.from);
    for (const message of added) {
      const node = this.#join(message);
      if (node && !this.#isSeen.has(node.key) && !this.#sees(node, hidden)) return false;
    }
    const shown = added.filter((message) => this.#isShown(message));
    const isLess = hidden.size > 0;
    if (isWhole && !isLess && shown.length === added.length) this.messages = all;
    else if (isWhole || isLess || shown.length + news.changed.size > 0) {
      const held = isLess ? this.messages.filter((it) => this.#isShown(it)) : this.messages;
      const messages = [...held, ...shown];
      for (const serial of news.changed) {
        const at = placeIn(messages, serial);
        if (at >= 0) messages[at] = all[placeIn(all, serial)] as M;
      }
      this.messages = messages;
    }
    return true;
  }

  /** Puts a message into its node, which it may begin. */
  #join(message: M): Node | undefined {
    const { serial, client, turn, name, deletedAt } = message;
    const key = turn ?? serial;
    this.#keys.set(serial, key);
    const isOption = deletedAt === undefined;
    const isPart = name !== AGAIN && isOption;
    const held = this.#nodes.get(key);
    if (held || (!isOption && turn)) {
      if (held && isOption) Object.assign(held, { last: serial, isPart });
      return held;
    }
    const parent = this.#parentOf(message, this.#turns.get(key)) ?? this.#previous;
    const isAgain = name === AGAIN;
    const kind = turn ? "turn" : isAgain ? key : "message";
    const group = `${kind} ${parent}${turn ? "" : `\n${client}`}`;
    const node = { key, group, parent, first: serial, client, isOption, last: serial, isPart };
    this.#nodes.set(key, node);
    this.#newest = node;
    this.#followed.add(parent);
    if (!isOption) {
      this.#gone.add(group);
      return node;
    }
    const siblings = this.#groups.get(group);
    if (siblings) siblings.push(key);
    else this.#groups.set(group, [key]);
    if (!isAgain) this.#previous = key;
    return node;
  }

  /**
   * Decides whether a new node is visible, which may hide the newest of its siblings until now;
   * returns false if further nodes may change visibility.
   */
  #sees({ key, group, parent, isOption }: Node, hidden: Set<string>): boolean {
    if (!isOption || this.#gone.has(group) || this.#selected.has(group)) return false;
    if (this.#nodes.get(parent)?.isOption === false) return false;
    const last = this.#groups.get(group)?.at(-2);
    if (last !== undefined) {
      if (this.#followed.has(last)) return false;
      this.#isSeen.set(last, false);
      hidden.add(last);
    }
    this.#isSeen.set(key, this.#isSeen.get(parent) !== false);
    return true;
  }

  #isShown({ serial, turn, deletedAt }: M): boolean {
    return deletedAt === undefined && this.#isSeen.get(turn ?? serial) === true;
  }

  /** The siblings of a message or of its turn, which may be named instead. */
  branches(id: string): Branches {
    const node = this.#node(id);
    const options = [...(this.#groups.get(node?.group ?? "") ?? [])];
    return { options, index: options.findIndex((key) => this.#isSeen.get(key)) };
  }

  /** The group of a selection, and the selection. */
  choice(id: string): [group: string, key: string] | undefined {
    const node = this.#node(id);
    return node && [node.group, node.key];
  }

  /**
   * The parent that a new message must name to follow the visible branch; nothing if it does by
   * itself, since the newest in the log is visible.
   */
  get head(): string | undefined {
    const newest = this.#newest;
    if (newest?.isPart && this.#isSeen.get(newest.key)) return undefined;
    const isPart = ({ key, isPart }: Node) => isPart && this.#isSeen.get(key);
    return [...this.#nodes.values()].findLast(isPart)?.last;
  }

  /** The message that another one follows, for a new sibling of that one. */
  before(serial: string): string | undefined {
    const parent = this.#node(serial)?.parent;
    return parent === undefined ? undefined : this.#nodes.get(parent)?.last;
  }

  /**
   * The messages that a page shows at one of them, with a turn's messages together: a prompt. Of
   * siblings it has those that the message follows, or the newest. Without the beginning of the log
   * (`isWhole`), messages of uncertain membership are left out; `since` is the newest of those.
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
      // Neither a tombstone nor the request for another answer is content.
      if (message.deletedAt !== undefined || message.name === AGAIN) continue;
      said.get(message.turn ?? message.serial)?.push(message);
    }
    return { messages: [...said.values()].flat(), since };
  }

  /** The visible node of a group: the selected one, or the newest. */
  #chosen(group: string, selected: string | undefined): string | undefined {
    const node = this.#nodes.get(selected ?? "");
    const isThere = node?.group === group && (node.isOption || this.#followed.has(node.key));
    return isThere ? node.key : this.#groups.get(group)?.at(-1);
  }

  #node(id: string): Node | undefined {
    return this.#nodes.get(this.#keys.get(id) ?? id);
  }

  /** The message that a message names as the one it follows; without it, the one before. */
  #parentOf(message: Message, turn: Turn | undefined): string | undefined {
    const edited = message.headers?.[EDITS];
    const sibling = edited === undefined ? undefined : this.#node(edited);
    if (sibling?.client === message.client) return sibling.parent;
    // A message that is not held has no children here, nor has its version before an edit.
    if (edited !== undefined && !sibling && !message.parent) return edited;
    const serial = turn?.input ?? turn?.parent ?? message.parent;
    return serial === undefined ? undefined : (this.#keys.get(serial) ?? serial);
  }
}
