// An agent's reads over HTTP: functions, so that an unused one is not shipped.

import { readJson } from "../connection/http.ts";
import type { MemberList, Message, Page, Turn } from "../protocol/index.ts";
import type { Reader } from "./link.ts";

function read<T>({ link }: Reader, path: string): Promise<T> {
  const get = link.options.fetch ?? fetch.bind(globalThis);
  return readJson<T>(`${link.address}/${path}`, link.tokens, get);
}

/** A page of the history, the newest first (P3.9): a model's conversation. */
export function readMessages(
  session: Reader,
  query: { before?: string; after?: string; limit?: number } = {},
): Promise<Page> {
  const entries = Object.entries(query).map(([name, value]) => [name, String(value)]);
  return read(session, `messages?${new URLSearchParams(entries)}`);
}

/** One message by its serial. */
export async function readMessage(session: Reader, serial: string): Promise<Message> {
  return (await read<{ message: Message }>(session, `messages/${serial}`)).message;
}

/** The open turns, the oldest first; those `queued` wait for an agent. */
export async function readTurns(session: Reader): Promise<Turn[]> {
  return (await read<{ turns: Turn[] }>(session, "turns")).turns;
}

/** The members, people and agents alike (P7.4). */
export function readMembers(session: Reader): Promise<MemberList> {
  return read(session, "presence");
}
