// P11.9: words are searched for in the real runtime, whose SQLite has FTS5.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attach } from "../support/client.ts";
import { useServer } from "../support/fixture.ts";
import { call } from "../support/http.ts";
import { USER } from "../support/turns.ts";

const fixture = useServer();

interface Page {
  found: { serial: string; snippet: string; at: [number, number][] }[];
  hasMore: boolean;
  next?: string;
  behind?: boolean;
}

async function search(name: string, query: Record<string, string>): Promise<Page> {
  const asked = `/search?${new URLSearchParams(query)}`;
  const answer = await call(fixture.server, name, "GET", asked, USER);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as Page;
}

async function publish(name: string, ...texts: unknown[]): Promise<string[]> {
  const messages = texts.map((data) => ({ data }));
  const answer = await call(fixture.server, name, "POST", "/messages", USER, { messages });
  assert.equal(answer.status, 201, answer.text);
  const placed = answer.body as { messages: { serial: string }[] };
  return placed.messages.map(({ serial }) => serial);
}

const snippets = ({ found }: Page): string[] => found.map(({ snippet }) => snippet);
