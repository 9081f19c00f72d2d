// A search for words (P11.9).

import type { Role } from "./message.ts";

/** A message in which words were found. */
export interface Found {
  serial: string;
  name: string;
  client: string;
  role: Role;
  turn?: string;
  createdAt: number;
  /** Some of its text, around the words, in pieces: every second one was found. */
  snippet: string[];
}

/** A page of messages in which words were found, the newest first. */
export interface FoundPage {
  found: Found[];
  hasMore: boolean;
  /** The `before` of the next page; there if `hasMore`. */
  next?: string;
}
