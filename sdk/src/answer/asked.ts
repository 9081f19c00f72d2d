// The clients that are asked to run the calls that turns leave to a page: for each turn, the client
// whose message it answers. For a turn whose input is unknown, those who spoke last before it.

import type { Message } from "../protocol/index.ts";

export class Asked {
  /** The inputs of the known turns. */
  readonly #inputs: ReadonlyMap<string, string | undefined>;
  readonly #clients = new Map<string, string>();
  /** The clients that spoke before each turn began. */
  readonly #before = new Map<string, ReadonlySet<string>>();
  #spoke = new Set<string>();
  #isAnswered = false;

  constructor(inputs: ReadonlyMap<string, string | undefined>) {
    this.#inputs = inputs;
  }

  /** Takes one message after another, in the log's order. */
  hear({ turn, serial, client, role, name }: Message): void {
    // Only these can be inputs.
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

  /** Whether a client was asked to run the calls of a turn, as far as is known. */
  is(client: string, turn: string): boolean {
    // This page's own message, which is not in the log yet.
    if (client === "") return true;
    // If the input is not loaded, any client may be meant.
    if (this.#inputs.has(turn)) {
      return (this.#clients.get(this.#inputs.get(turn) ?? "") ?? client) === client;
    }
    const spoke = this.#before.get(turn);
    return !spoke?.size || spoke.has(client);
  }
}
