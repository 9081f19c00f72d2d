// The view of a log and of messages still to be sent: one tree of both, kept as they change in the
// time that the change takes, and made anew only where it shows other branches.

import type { Message, Turn } from "../protocol/index.ts";
import type { Log } from "./log.ts";
import type { ShownMessage } from "./sending.ts";
import { Tree } from "./tree.ts";

/** The parts of a tree: values that never change in place. */
interface Parts {
  log: Log;
  messages: readonly Message[];
  turns: readonly Turn[];
  pending: readonly ShownMessage[];
  selected: ReadonlyMap<string, string>;
}

export class View {
  #parts: Parts | undefined;
  #tree: Tree<ShownMessage> | undefined;
  /** Of what is to be sent, what is not in the log yet. */
  #unsent: readonly ShownMessage[] = [];

  /** The tree as of now. */
  see(
    log: Log,
    pending: readonly ShownMessage[],
    selected: ReadonlyMap<string, string>,
  ): Tree<ShownMessage> {
    const { messages, turnList: turns } = log;
    const was = this.#parts;
    const isSame = was?.log === log && was.pending === pending && was.selected === selected;
    if (this.#tree && isSame && was.messages === messages && was.turns === turns) return this.#tree;
    this.#parts = { log, messages, turns, pending, selected };
    const news = log.news();
    const wasMixed = this.#unsent.length > 0;
    const isLonger = !news || news.isOther || news.from < messages.length;
    if (!isSame || isLonger) {
      // Acknowledgements, and the outbox, are slower than the log.
      const isNew = ({ id }: Message) => messages.every((it) => it.id !== id);
      this.#unsent = pending.filter(isNew);
    }
    const isMixed = this.#unsent.length > 0;
    const all = isMixed ? [...messages, ...this.#unsent] : messages;
    // Messages that come into the log go before those to be sent.
    const canFollow = isSame && news && !(isLonger && wasMixed);
    const from = isMixed ? all.length : news?.from;
    if (!canFollow || !this.#tree?.follow(all, log.turns, { ...news, from: from as number })) {
      this.#tree = new Tree<ShownMessage>(all, log.turns, selected);
    }
    return this.#tree as Tree<ShownMessage>;
  }
}
