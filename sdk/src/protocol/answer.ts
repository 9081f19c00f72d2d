// Reads what the messages of an answer say beside their text: headers that are too long are in
// messages named `notes`, and values too large for one frame are JSON in a text.

import type { Message } from "./message.ts";

/** The name of a message with headers of another one. */
export const NOTES = "notes";

/** Headers by the `id` of the message that they belong to. */
export type Notes = ReadonlyMap<string, Record<string, string>>;

/** Headers that hold JSON; all others are text as it is. */
const JSON_HEADERS = ["providerMetadata", "toolMetadata", "citations"];
/** Headers that are there or not. */
const FLAGS = ["dynamic", "providerExecuted", "preliminary"];

/** The notes of messages about others; of two that say the same, the later is right. */
export function notesIn(messages: readonly Message[]): Notes {
  const notes = new Map<string, Record<string, string>>();
  for (const { name, headers, data, deletedAt } of messages) {
    const of = headers?.of;
    if (name !== NOTES || of === undefined || deletedAt !== undefined) continue;
    notes.set(of, { ...notes.get(of), ...(Object(data) as Record<string, string>) });
  }
  return notes;
}

/** All headers of a message, however long. */
export function headersOf({ id, headers }: Message, notes: Notes): Record<string, string> {
  return { ...(id === undefined ? {} : notes.get(id)), ...headers };
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
