// The clients that are asked to make the calls which turns leave to a page: the client whose
// message a turn answers. Of a turn that nobody tells of, those who spoke last before it.

import type { Message } from "../protocol/index.ts";

export class Asked {
  /** The input of each turn that is known. */
  readonly #inputs: ReadonlyMap<string, string | undefined>;
  readonly #clients = new Map<string, string>();
  /** The clients that spoke before each turn began. */
  readonly #before = new Map<string, ReadonlySet<string>>();
  #spoke = new Set<string>();
  #isAnswered = false;

  constructor(inputs: ReadonlyMap<string, string | undefined>) {
    this.#inputs = inputs;
  }

  /** Takes the messages of a log, in order. */
  hear({ turn, serial, client, role, name }: Message): void {
    // Nothing else can be an input.
    if (turn === undefined || role === "user") this.#clients.set(serial, client);
    if (turn !== undefined) {
      this.#isAnswered = true;
      if (!this.#before.has(turn)) this.#before.set(turn, this.#spoke);
    } else if (role === "user" && !name.startsWith("tool-")) {
      if (this.#isAnswered) this.#spoke = new Set();
      this.#isAnswered = false;
      this.#spoke.add(client);
    }
  }

  /** Whether a client was asked to make the calls of a turn, as far as that is known. */
  is(client: string, turn: string): boolean {
    // Not in the log yet: it is this page's own.
    if (client === "") return true;
    // Of what is not held nobody can know whose it is.
    if (this.#inputs.has(turn)) {
      return (this.#clients.get(this.#inputs.get(turn) ?? "") ?? client) === client;
    }
    const spoke = this.#before.get(turn);
    return !spoke?.size || spoke.has(client);
  }
}
