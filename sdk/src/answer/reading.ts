// Reads what the messages of an answer say beside their text: headers that are too long are in
// messages named `notes`, and values too large for one frame are JSON in a text. Nobody may say
// it for somebody else.

import { ENCODING, type Message, NOTES, STEER } from "../protocol/index.ts";

/** Headers by the client and the `id` of the message that they belong to. */
export type Notes = ReadonlyMap<string, Record<string, string>>;

/** Headers that hold JSON; all others are text as it is. */
const JSON_HEADERS = ["providerMetadata", "toolMetadata", "citations"];
/** Headers that are there or not. */
const FLAGS = ["dynamic", "providerExecuted", "preliminary"];

/** The notes of clients about their messages; of two that say the same, the later is right. */
export function notesIn(messages: readonly Message[]): Map<string, Record<string, string>> {
  const notes = new Map<string, Record<string, string>>();
  for (const message of messages) addNote(notes, message);
  return notes;
}

/** Adds what a message notes about another one; gives whose headers they are. */
export function addNote(
  notes: Map<string, Record<string, string>>,
  { name, client, headers, data, deletedAt }: Message,
): string | undefined {
  if (name !== NOTES || !headers?.of || deletedAt !== undefined) return undefined;
  const of = ownId(headers.of, client);
  notes.set(of, { ...notes.get(of), ...(Object(data) as Record<string, string>) });
  return of;
}

/** All headers of a message, however long. */
export function headersOf({ id, client, headers }: Message, notes: Notes): Record<string, string> {
  return { ...(id === undefined ? {} : notes.get(ownId(id, client))), ...headers };
}

/** Ids are a client's own: another one may use the same. */
export function ownId(id: string, client: string): string {
  return `${id}\n${client}`;
}

/** Whether a turn says it: what a turn was told, and instructed, it did not say itself (P6.7). */
export function isOfTurn({ turn, role, name }: Message): boolean {
  return turn !== undefined && role !== "user" && name !== STEER;
}

/** The fields of a call, wherever it is mentioned. */
export function callFieldsIn(headers: Readonly<Record<string, string>>): Record<string, unknown> {
  return { toolName: "tool", ...fieldsIn(headers) };
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
  const isJson = headers[ENCODING] === "json" && typeof data === "string";
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
