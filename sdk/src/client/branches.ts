// The branches of a session (P6.9): one tree of the log and of the messages still to be sent,
// updated at the cost of each change, and rebuilt only where other branches show.

import type { Follower, Log } from "../log/log.ts";
import { type Branches, isLinkedAlike, type News, Tree } from "../log/tree.ts";
import { EDITS, type Message, type Turn } from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import type { Sent, ShownMessage } from "./sending.ts";
import type { Session } from "./session.ts";
import type { SendOptions } from "./types.ts";

/**
 * The conversation of a session as one branch of a tree: edits and further answers stand beside the
 * originals (P6.9), and the newest or the selected one shows.
 */
export function branchesOf(session: Session): BranchesFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new BranchesFeature(engine);

export class BranchesFeature implements Feature {
  readonly #engine: Omit<Engine, "options" | "link">;
  readonly #view = new View();
  /** The selected branch at each place. */
  #selected: ReadonlyMap<string, string> = new Map();

  constructor(engine: Omit<Engine, "options" | "link">) {
    this.#engine = engine;
  }

  /** The messages of the selected branches in the log's order, then those still to be sent. */
  get messages(): readonly ShownMessage[] {
    return this.#tree.messages;
  }

  /** The known turns, so that `toUIMessages(branchesOf(session))` has them. */
  get turns(): readonly Turn[] {
    return this.#engine.log.turnList;
  }

  get value(): readonly ShownMessage[] {
    return this.messages;
  }

  /** The versions of a message, or of its turn, which may be named instead. */
  at(id: string): Branches {
    return this.#tree.branches(id);
  }

  /** Shows a branch: one of the `options` from `at`. */
  select(id: string): void {
    const choice = this.#tree.choice(id);
    if (choice) this.#select(...choice);
  }

  /** Publishes a message that follows the branch on screen. */
  send(data: unknown, options: SendOptions = {}): Sent {
    const parent = options.parent ?? this.#tree.head;
    return this.#engine.send(data, { ...options, ...(parent && { parent }) });
  }

  /** Publishes another version of a message of this client, beside it. */
  edit(serial: string, data: unknown, options: SendOptions = {}): Sent {
    const parent = this.#tree.before(serial);
    const choice = this.#tree.choice(serial);
    // The newest shows again.
    if (choice) this.#select(choice[0], "");
    const headers = { ...options.headers, [EDITS]: serial };
    return this.#engine.send(data, { ...options, ...(parent && { parent }), headers });
  }

  #select(group: string, key: string): void {
    this.#selected = new Map(this.#selected).set(group, key);
    this.#engine.changed();
  }

  get #tree(): Tree<ShownMessage> {
    const { log, pending } = this.#engine;
    return this.#view.see(log, pending, this.#selected);
  }
}

/** The inputs of a tree: none changes in place. */
interface Seen {
  log: Log;
  messages: readonly Message[];
  turns: readonly Turn[];
  pending: readonly ShownMessage[];
  selected: ReadonlyMap<string, string>;
}

export class View {
  #seen: Seen | undefined;
  #tree: Tree<ShownMessage> | undefined;
  #changes: Changes | undefined;

  /** The current tree. */
  see(
    log: Log,
    pending: readonly ShownMessage[],
    selected: ReadonlyMap<string, string>,
  ): Tree<ShownMessage> {
    const { messages, turnList: turns } = log;
    const was = this.#seen;
    const isSame = was?.log === log && was.pending === pending && was.selected === selected;
    if (this.#tree && isSame && was.messages === messages && was.turns === turns) return this.#tree;
    this.#seen = { log, messages, turns, pending, selected };
    const news = this.#changes;
    if (news) was?.log.followers.delete(news);
    this.#changes = new Changes(messages);
    log.followers.add(this.#changes);
    const isMixed = pending.length > 0;
    const all = isMixed ? [...messages, ...pending] : messages;
    // Messages of the log go before those still to be sent.
    const canFollow = isSame && news && !(isMixed && news.from < messages.length);
    const from = isMixed ? all.length : news?.from;
    const more = canFollow && { ...news.told, from: from as number };
    if (!more || !this.#tree?.follow(all, log.turns, more)) {
      this.#tree = new Tree<ShownMessage>(all, log.turns, selected);
    }
    return this.#tree as Tree<ShownMessage>;
  }
}

/** The changes of a log since a tree was made of these messages. */
class Changes implements Follower {
  readonly from: number;
  #last: string;
  readonly #start: string;
  readonly #changed = new Set<string>();
  readonly #turns = new Set<string>();
  #isOther = false;

  constructor(messages: readonly Message[]) {
    this.from = messages.length;
    this.#start = this.#last = messages.at(-1)?.serial ?? "";
  }

  get told(): News {
    const [changed, turns, isOther] = [this.#changed, this.#turns, this.#isOther];
    return { changed, from: this.from, turns, isOther };
  }

  put(message: Message, was: Message | undefined): void {
    const { serial } = message;
    if (was) {
      if (serial <= this.#start) this.#changed.add(serial);
      if (!isLinkedAlike(was, message)) this.#isOther = true;
    } else if (serial < this.#last) this.#isOther = true;
    else this.#last = serial;
  }

  turn(id: string, is: Turn | undefined, was: Turn | undefined): void {
    const isAlike = is && was?.input === is.input && was?.parent === is.parent;
    if (!isAlike) this.#turns.add(id);
  }

  trimmed(): void {
    this.#isOther = true;
  }
}
