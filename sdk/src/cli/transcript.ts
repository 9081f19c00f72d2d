// A session as lines of a terminal: each message once, and the text of one that streams as it
// grows. Every piece only adds to what was printed before.

import type { Approval, Message, Turn } from "../index.ts";
import { count, oneLine, safe } from "./print.ts";

/** A message as far as it was printed. */
interface Printed {
  text: string;
  version: string;
  isDone: boolean;
}

export interface Piece {
  text: string;
  /** Whether it is the growth of a message, which may be shown evenly. */
  isGrowth: boolean;
}

export class Transcript {
  readonly #printed = new Map<string, Printed>();
  readonly #name: (name: string) => string;
  readonly #aside: (text: string) => string;
  /** The message that is printed as it grows, if there is one. */
  #growing: string | undefined;
  /** Whether the last line is that message's, and goes on. */
  #isOpen = false;

  /** `name` and `aside` style a sender, and everything that nobody said. */
  constructor(name = (text: string) => text, aside = (text: string) => text) {
    this.#name = name;
    this.#aside = aside;
  }

  /**
   * Pieces for what is new in a list of messages in the log's order. Of several that stream, one is
   * printed as it grows; the others wait for its end, or for their own.
   */
  look(messages: readonly Message[]): Piece[] {
    // One that was deleted never ends.
    if (!messages.some(({ serial }) => serial === this.#growing)) this.#growing = undefined;
    const pieces = messages.flatMap((message) => this.#one(message));
    if (this.#growing !== undefined) return pieces;
    const next = messages.find((it) => isStreaming(it) && !this.#printed.has(it.serial));
    return next ? [...pieces, ...this.#one(next)] : pieces;
  }

  /** A line that nobody said. */
  note(text: string): Piece {
    const line = this.#aside(`· ${oneLine(text, 200)}`);
    return { text: `${this.end()}${line}\n`, isGrowth: false };
  }

  /** Ends the last line, if it is not ended. */
  end(): string {
    const text = this.#isOpen ? "\n" : "";
    this.#isOpen = false;
    return text;
  }

  #one(message: Message): Piece[] {
    const { serial, version } = message;
    const printed = this.#printed.get(serial);
    if (printed?.version === version) return [];
    const isDone = !isStreaming(message);
    if (!isDone && this.#growing !== undefined && this.#growing !== serial) return [];
    const text = textOf(message);
    this.#printed.set(serial, { text, version, isDone });
    if (!printed && isDone) return [this.#whole(message, text, "")];
    if (printed && !text.startsWith(printed.text)) return [this.#whole(message, text, " (edited)")];
    const more = text.slice(printed?.text.length ?? 0);
    // Only the headers or the sums of an ended one changed.
    if (printed?.isDone && more === "") return [];
    return this.#grow(message, more, isDone, printed === undefined);
  }

  /** A message from its first character to its last. */
  #whole(message: Message, text: string, how: string): Piece {
    const label = this.end() + this.#label(message, how);
    if (this.#growing === message.serial && !isStreaming(message)) this.#growing = undefined;
    return { text: `${label}${safe(text)}${this.#ending(message)}\n`, isGrowth: false };
  }

  #grow(message: Message, more: string, isDone: boolean, isNew: boolean): Piece[] {
    // Something else may have been printed in between.
    const isHere = this.#isOpen && this.#growing === message.serial;
    const label = isHere ? "" : this.end() + this.#label(message, isNew ? "" : " (continued)");
    this.#growing = isDone ? undefined : message.serial;
    this.#isOpen = !isDone;
    const ending = isDone ? `${this.#ending(message)}\n` : "";
    return [
      { text: label, isGrowth: false },
      { text: safe(more) + ending, isGrowth: true },
    ].filter(({ text }) => text !== "");
  }

  #ending({ status }: Message): string {
    const isAbrupt = status === "failed" || status === "cancelled";
    return isAbrupt ? this.#aside(` [${status}]`) : "";
  }

  #label({ client, name, role }: Message, how: string): string {
    const kind = name === "message" || name === "answer" ? "" : ` [${oneLine(name, 40)}]`;
    const voice = role === "system" || role === "tool" ? ` (${role})` : "";
    return `${this.#name(`${oneLine(client, 40)}${voice}${kind}${how}`)}: `;
  }
}

function isStreaming({ status }: Message): boolean {
  return status === "streaming";
}

function textOf({ data }: Message): string {
  return typeof data === "string" ? data : (JSON.stringify(data) ?? "");
}

/** A turn that changed, in words; `undefined` where a reader of a transcript needs none. */
export function sayTurn(type: string, turn: Turn): string | undefined {
  const { id, agent = "nobody", status, reason, cancel } = turn;
  switch (type) {
    case "turn.start":
      return `turn ${id} of ${agent} began`;
    case "turn.adopt":
      return `turn ${id} goes on, by ${agent}`;
    case "turn.queue":
      return `turn ${id} waits for an agent`;
    case "turn.suspend":
      return `turn ${id} is suspended${reason ? `: ${reason}` : ""}`;
    case "turn.resume":
      return `turn ${id} goes on`;
    case "turn.cancel":
      return `${cancel?.by ?? "somebody"} cancels turn ${id}`;
    case "turn.end":
      return `turn ${id} is ${status}${reason ? `: ${reason}` : ""}`;
    default:
      return undefined;
  }
}

/** An approval that changed, in words. */
export function sayApproval({ id, kind, status, title, options, assignees, decidedBy }: Approval) {
  if (status !== "pending")
    return `${kind} ${id} is ${status}${decidedBy ? ` by ${decidedBy}` : ""}`;
  const among = options ? `, of ${count(options.length, "option")}` : "";
  const who = assignees ? `, for ${assignees.join(" ")}` : "";
  return `${kind} ${id} waits${among}${who}: ${title}`;
}
