// Clients of a session layer of `sessile/testing`, ended with the test.

import type { TestContext } from "node:test";
import { type AgentSession, type AgentTurn, createAgentSession } from "../../src/agent/index.ts";
import { createSession, type Session } from "../../src/index.ts";
import { type Sessile, type SessileOptions, startSessile } from "../../src/testing/index.ts";

/** Reconnects soon, and takes nobody on a busy machine for lost. */
const SOON = { backoffMs: 10, backoffMostMs: 100 };

export async function start(t: TestContext, options?: SessileOptions): Promise<Sessile> {
  const sessile = await startSessile(options);
  t.after(() => sessile.stop());
  return sessile;
}

/** A person's page, connected; over the wire of `url` unless told. */
export async function page(
  t: TestContext,
  sessile: Sessile,
  session: string,
  url = sessile.url,
): Promise<Session> {
  const token = () => sessile.token({ sub: "ada" });
  const opened = createSession({ url, session, token, timing: SOON });
  t.after(() => opened.close());
  await opened.connect();
  return opened;
}

/** An agent that answers each input; joined. */
export async function agent(
  t: TestContext,
  sessile: Sessile,
  session: string,
  answer: (turn: AgentTurn, input: unknown) => Promise<unknown>,
  url = sessile.url,
): Promise<AgentSession> {
  const joined = Promise.withResolvers<void>();
  const opened: AgentSession = createAgentSession({
    ...{ url, session },
    token: () => sessile.token({ sub: "bot", role: "agent" }),
    onInput: ({ data }, begun) =>
      opened.answer(begun, (turn) => answer(turn, data)).catch(() => {}),
    onStatus: ({ state }) => state === "connected" && joined.resolve(),
  });
  t.after(() => opened.close());
  await joined.promise;
  return opened;
}

/** Words for as long as `isOn`, with a little time between them. */
export async function* words(isOn: () => boolean): AsyncGenerator<string> {
  for (let count = 1; isOn(); count += 1) {
    yield `${count} `;
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** Whether a text has every word, once and in order. */
export function isWhole(text: unknown): boolean {
  const said = String(text).trim().split(" ");
  return said.length > 1 && said.every((word, at) => word === String(at + 1));
}
