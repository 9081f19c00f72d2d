// Reads the headers and values of an answer's messages. Long headers are in messages named `notes`,
// which count only from the client whose message they describe; values too large for one frame are
// JSON text.

import { ENCODING, type Message, NOTES, STEER } from "../protocol/index.ts";

/** Headers by the client and the `id` of their message. */
export type Notes = ReadonlyMap<string, Record<string, string>>;

/** Headers that hold JSON; all others are plain text. */
const JSON_HEADERS = ["providerMetadata", "toolMetadata", "citations"];
/** Headers that are flags. */
const FLAGS = ["dynamic", "providerExecuted", "preliminary"];

/** The notes of clients about their own messages; a later one overrides an earlier one. */
export function notesIn(messages: readonly Message[]): Map<string, Record<string, string>> {
  const notes = new Map<string, Record<string, string>>();
  for (const message of messages) addNote(notes, message);
  return notes;
}

/** Adds the headers in a note; returns the key of the message to which they belong. */
export function addNote(
  notes: Map<string, Record<string, string>>,
  { name, client, headers, data, deletedAt }: Message,
): string | undefined {
  if (name !== NOTES || !headers?.of || deletedAt !== undefined) return undefined;
  const of = ownId(headers.of, client);
  notes.set(of, { ...notes.get(of), ...(Object(data) as Record<string, string>) });
  return of;
}

/** All headers of a message, including those in notes. */
export function headersOf({ id, client, headers }: Message, notes: Notes): Record<string, string> {
  return { ...(id === undefined ? {} : notes.get(ownId(id, client))), ...headers };
}

/** A key for a message: ids are unique per client only. */
export function ownId(id: string, client: string): string {
  return `${id}\n${client}`;
}

/** Whether a message is a turn's own output, and neither said to it nor an instruction (P6.7). */
export function isOfTurn({ turn, role, name }: Message): boolean {
  return turn !== undefined && role !== "user" && name !== STEER;
}

/** The fields of a call in the headers of any message about it. */
export function callFieldsIn(headers: Readonly<Record<string, string>>): Record<string, unknown> {
  return { toolName: "tool", ...fieldsIn(headers) };
}

/** The values of headers: JSON is parsed, flags become booleans, all others are text. */
export function fieldsIn(headers: Readonly<Record<string, string>>): Record<string, unknown> {
  const fields = Object.entries(headers).map(([name, text]) => {
    if (JSON_HEADERS.includes(name)) return [name, parsed(text)];
    return [name, FLAGS.includes(name) ? text === "true" : text];
  });
  return Object.fromEntries(fields);
}

/** The value of a message, also if it was too large for a frame and was sent as JSON text. */
export function valueIn({ data }: Message, headers: Readonly<Record<string, string>>): unknown {
  const isJson = headers[ENCODING] === "json" && typeof data === "string";
  return isJson ? parsed(data) : data;
}

/** The value of JSON text, or the text itself if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
