// Reads what the messages of an answer say beside their text: headers that are too long are in
// messages named `notes`, and values too large for one frame are JSON in a text. Nobody may say
// it for somebody else.

import type { Message } from "./message.ts";
import type { Turn } from "./turn.ts";

/** The name of a message with headers of another one. */
export const NOTES = "notes";

/** Headers by the client and the `id` of the message that they belong to. */
export type Notes = ReadonlyMap<string, Record<string, string>>;

/** Headers that hold JSON; all others are text as it is. */
const JSON_HEADERS = ["providerMetadata", "toolMetadata", "citations"];
/** Headers that are there or not. */
const FLAGS = ["dynamic", "providerExecuted", "preliminary"];

/** The notes of clients about their messages; of two that say the same, the later is right. */
export function notesIn(messages: readonly Message[]): Notes {
  const notes = new Map<string, Record<string, string>>();
  for (const { name, client, headers, data, deletedAt } of messages) {
    if (name !== NOTES || !headers?.of || deletedAt !== undefined) continue;
    const of = ownId(headers.of, client);
    notes.set(of, { ...notes.get(of), ...(Object(data) as Record<string, string>) });
  }
  return notes;
}

/** All headers of a message, however long. */
export function headersOf({ id, client, headers }: Message, notes: Notes): Record<string, string> {
  return { ...(id === undefined ? {} : notes.get(ownId(id, client))), ...headers };
}

/** Ids are a client's own: another one may use the same. */
function ownId(id: string, client: string): string {
  return `${id}\n${client}`;
}

/** Says whether a client was asked to make the calls of a turn, as far as that is known. */
export type IsAsked = (client: string, turn: string | undefined) => boolean;

/**
 * Finds out who makes the calls that turns leave to a page: the client whose message a turn
 * answers. Of a turn that nobody tells of, those who spoke last before it are taken for that.
 */
export function askedIn(messages: readonly Message[], turns: readonly Turn[]): IsAsked {
  const inputs = new Map(turns.map(({ id, input }) => [id, input]));
  const wanted = new Set(inputs.values());
  const clients = new Map<string | undefined, string>();
  const byOrder = new Map<string, ReadonlySet<string>>();
  let spoke = new Set<string>();
  let isAnswered = false;
  for (const { turn, serial, client, role, name } of messages) {
    if (wanted.has(serial)) clients.set(serial, client);
    if (turn !== undefined) {
      isAnswered = true;
      if (!byOrder.has(turn)) byOrder.set(turn, spoke);
    } else if (role === "user" && !name.startsWith("tool-")) {
      if (isAnswered) spoke = new Set();
      isAnswered = false;
      spoke.add(client);
    }
  }
  return (client, turn = "") => {
    // Not in the log yet: it is this page's own.
    if (client === "") return true;
    // Of what is not held nobody can know whose it is.
    if (inputs.has(turn)) return (clients.get(inputs.get(turn)) ?? client) === client;
    const spokeBefore = byOrder.get(turn);
    return !spokeBefore?.size || spokeBefore.has(client);
  };
}

/** Whether a turn says it: what a turn was told, and instructed, it did not say itself (P6.7). */
export function isOfTurn({ turn, role, name }: Message): boolean {
  return turn !== undefined && role !== "user" && name !== "steer";
}

/** The values of headers: values of those that hold JSON, flags, and text. */
export function fieldsIn(headers: Readonly<Record<string, string>>): Record<string, unknown> {
  const fields = Object.entries(headers).map(([name, text]) => {
    if (JSON_HEADERS.includes(name)) return [name, parsed(text)];
    return [name, FLAGS.includes(name) ? text === "true" : text];
  });
  return Object.fromEntries(fields);
}

/** The value of a message, also of one that is too large for a frame and was sent as JSON text. */
export function valueIn({ data }: Message, headers: Readonly<Record<string, string>>): unknown {
  const isJson = headers.encoding === "json" && typeof data === "string";
  return isJson ? parsed(data) : data;
}

/** The value of JSON text; the text itself where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
