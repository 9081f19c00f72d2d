// The conversation as it is read: what people said, and each answer as one piece, however its
// messages lie between those of others in the log.

import type { ShownMessage, Turn } from "sessile";
import { filesIn } from "./file-words.ts";

/** Messages that are no content by themselves. */
const SILENT = new Set(["regenerate", "response", "step", "notes", "progress"]);

/** Something that is read as one piece. */
export type Entry =
  | { kind: "said"; key: string; message: ShownMessage }
  | { kind: "answer"; key: string; turn: Turn; messages: readonly ShownMessage[] };

type Answer = Extract<Entry, { kind: "answer" }>;

/**
 * The entries of the messages on screen, in the order in which they began. A turn that has said
 * nothing yet stands behind what it answers; turns within others are shown by those.
 */
export function entriesOf(
  messages: readonly ShownMessage[],
  turns: readonly Turn[],
): readonly Entry[] {
  const known = new Map(turns.map((turn) => [turn.id, turn]));
  const entries: Entry[] = [];
  const answers = new Map<string, Answer & { messages: ShownMessage[] }>();
  for (const message of messages) {
    const { turn: id, name, serial } = message;
    if (SILENT.has(name)) continue;
    if (id === undefined) {
      entries.push({ kind: "said", key: message.id ?? serial, message });
      continue;
    }
    const turn = known.get(id) ?? unknown(id, message);
    if (turn.within !== undefined) continue;
    const held = answers.get(id);
    if (held) held.messages.push(message);
    else {
      const answer = { kind: "answer" as const, key: id, turn, messages: [message] };
      answers.set(id, answer);
      entries.push(answer);
    }
  }
  const shown = new Set(messages.map(({ serial }) => serial));
  for (const turn of turns) {
    if (turn.within === undefined && !answers.has(turn.id)) place(entries, turn, shown);
  }
  return entries;
}

function isOpen({ endedAt }: Turn): boolean {
  return endedAt === undefined;
}

/** Puts a turn without messages where its answer will be. */
function place(entries: Entry[], turn: Turn, shown: ReadonlySet<string>): void {
  const { id, input } = turn;
  const entry: Entry = { kind: "answer", key: id, turn, messages: [] };
  if (input === undefined) {
    if (isOpen(turn)) entries.push(entry);
    return;
  }
  if (!shown.has(input)) return;
  const other = entries.findIndex((it) => it.kind === "answer" && it.turn.input === input);
  if (other >= 0) {
    // Another answer that has begun will take the place of the one on screen.
    if (isOpen(turn)) entries[other] = entry;
    return;
  }
  const at = entries.findIndex((it) => it.kind === "said" && it.message.serial === input);
  entries.splice(at + 1, 0, entry);
}

/** A turn of which only a message is known. */
function unknown(id: string, { client, createdAt }: ShownMessage): Turn {
  return { id, status: "complete", agent: client, attempt: 1, createdAt };
}

/** The text of a message, also beside files; anything else as JSON. */
export function textOf({ data }: Pick<ShownMessage, "data">): string {
  if (typeof data === "string") return data;
  const { text } = Object(data) as { text?: unknown };
  if (filesIn(data).length > 0) return typeof text === "string" ? text : "";
  return data === undefined ? "" : JSON.stringify(data, null, 2);
}
