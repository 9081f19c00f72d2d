// The base of the SDK's tests: sessions against a real Worker, closed after each test, and waiting
// for events.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { call } from "../../tests/support/http.ts";
import type { Server } from "../../tests/support/server.ts";
import { makeToken, type TokenOptions } from "../../tests/support/token.ts";
import { within } from "../../tests/support/wait.ts";
import {
  createSession,
  type Message,
  type Page,
  type Session,
  type SessionOptions,
  type SessionSnapshot,
} from "../src/index.ts";

/** Times for a network that is on the same machine. */
export const QUICK = {
  backoffMs: 10,
  backoffMostMs: 100,
  connectMs: 2_000,
  pingMs: 150,
  pongMs: 150,
};

/** The same for a test in which no connection may be lost: a busy machine's pongs are late. */
export const STEADY = { ...QUICK, pongMs: 10_000 };

export interface OpenOptions extends Partial<SessionOptions>, TokenOptions {
  /** Does not connect. */
  isIdle?: boolean;
}

/** A session of the SDK, connected; closed when the test is over. */
export async function open(
  t: TestContext,
  server: Pick<Server, "url">,
  session: string,
  { isIdle, ...options }: OpenOptions = {},
): Promise<Session> {
  const { sub, caps, expiresIn, name, role, ...rest } = options;
  const claims: TokenOptions = {
    ...(sub && { sub }),
    ...(caps && { caps }),
    ...(expiresIn && { expiresIn }),
    ...(name && { name }),
    ...(role && { role }),
  };
  const token = () => makeToken(claims);
  const opened = createSession({ url: server.url, session, token, timing: QUICK, ...rest });
  t.after(() => opened.close());
  if (!isIdle) await within(opened.connect(), "a session to connect");
  return opened;
}

/** Waits until what a session shows satisfies; looks at every change. */
export async function shows(
  session: Session,
  isSo: (snapshot: SessionSnapshot) => boolean,
  what: string,
  ms?: number,
): Promise<void> {
  let end = () => {};
  const so = new Promise<void>((done) => {
    const look = () => isSo(session.getSnapshot()) && done();
    end = session.subscribe(look);
    look();
  });
  await within(so, what, ms).finally(end);
}

/** All messages of a session by HTTP, in the log's order. */
export async function history(server: Server, session: string): Promise<Message[]> {
  const found: Message[] = [];
  for (let before = ""; ; ) {
    const path = `/messages?limit=1000${before && `&before=${before}`}`;
    const { body, status, text } = await call(server, session, "GET", path);
    assert.equal(status, 200, text);
    const page = body as Page;
    found.unshift(...page.messages.reverse());
    if (page.next === undefined) return found;
    before = page.next;
  }
}

/** The same messages, but for what no frame tells: what else a deleted one had become. */
export function assertSame(held: readonly Message[], expected: readonly Message[]): void {
  const comparable = (messages: readonly Message[]) =>
    messages.map((message) => {
      const { updatedAt: _updatedAt, seq: _seq, status, headers, deletedAt, ...rest } = message;
      const isDeleted = deletedAt !== undefined;
      return isDeleted ? { ...rest, isDeleted } : { ...rest, status, headers };
    });
  assert.deepEqual(comparable(held), comparable(expected));
}
