// Pages with a chat on a session, and agents that answer them.

import { after } from "node:test";
import { ChatClient, type ChatClientOptions, type UIMessage } from "@tanstack/ai-client";
import type { Fixture } from "../../../../tests/support/fixture.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { until } from "../../../../tests/support/wait.ts";
import { type AgentSession, type AgentTurn, createAgentSession } from "../../../src/agent/index.ts";
import {
  REGENERATE,
  type SessileConnection,
  sessileConnection,
} from "../../../src/tanstack/index.ts";

export interface Page {
  connection: SessileConnection;
  chat: ChatClient;
}

export type PageOptions = Record<string, unknown> & {
  sub?: string;
  onAbort?: "detach" | "cancel";
  /** How many messages it begins with. */
  rewind?: number;
  /** Another way to the server, such as a proxy. */
  url?: string;
};

export class Pages {
  readonly #fixture: Fixture;
  readonly #ends: (() => unknown)[] = [];

  constructor(fixture: Fixture) {
    this.#fixture = fixture;
    after(async () => {
      for (const end of this.#ends.reverse()) await end();
    });
  }

  /** Keeps what is to be done when the tests are over. */
  atEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  token(sub: string, role = "user") {
    return makeToken({ sub, caps: { "*": [role] } });
  }

  /** A connection of its own, and a chat. */
  page(
    session: string,
    { sub = "alice", url, onAbort, rewind, ...options }: PageOptions = {},
  ): Page {
    const connection = sessileConnection({
      url: url ?? this.#fixture.server.url,
      session,
      token: () => this.token(sub),
      ...(onAbort && { onAbort }),
      ...(rewind !== undefined && { rewind }),
    });
    const all = { connection, threadId: session, ...options };
    const chat = new ChatClient(all as unknown as ChatClientOptions);
    this.atEnd(() => {
      chat.dispose();
      connection.close();
    });
    return { connection, chat };
  }

  /** One that shows the session from the start, as `useChat({ live: true })` does. */
  live(session: string, options: PageOptions = {}): Page {
    const made = this.page(session, options);
    made.chat.subscribe();
    return made;
  }

  /** One that hydrates, as `useChat({ persistence: true })` does. */
  hydrated(session: string, options: PageOptions = {}): Page {
    const made = this.page(session, { persistence: true, ...options });
    made.chat.attach();
    return made;
  }

  agent(session: string, onInput?: Parameters<typeof createAgentSession>[0]["onInput"]) {
    const joined: AgentSession = createAgentSession({
      url: this.#fixture.server.url,
      session,
      token: () => this.token("agent", "agent"),
      names: ["message", REGENERATE],
      ...(onInput && { onInput }),
    });
    this.atEnd(() => joined.close());
    return joined;
  }

  /** An agent that answers all by what it is given; what it was asked is returned. */
  scripted(session: string, say: (turn: AgentTurn) => Promise<unknown>): string[] {
    const answers: string[] = [];
    const joined = this.agent(session, ({ name, parent, serial }) => {
      const again = { id: crypto.randomUUID(), input: parent ?? "", again: true };
      answers.push(serial);
      joined.answer(name === REGENERATE ? again : { input: serial }, say).catch(() => {});
    });
    return answers;
  }
}

export function textsOf({ chat }: Pick<Page, "chat">): string[] {
  return (chat.getMessages() as UIMessage[]).map(
    ({ role, parts }) =>
      `${role}: ${parts.map((part) => (part.type === "text" ? part.content : "")).join("")}`,
  );
}

export async function shows(it: Page, texts: string[], what: string): Promise<void> {
  await until(
    () => textsOf(it),
    (shown) => shown.join("\n") === texts.join("\n"),
    what,
  );
}

export async function isReady({ chat }: Page, what = "it to be ready"): Promise<void> {
  await until(
    () => chat.getStatus(),
    (status) => status === "ready",
    what,
  );
}

export async function hasBegun(it: Page): Promise<void> {
  await until(
    () => textsOf(it).at(-1) ?? "",
    (text) => text.startsWith("assistant: ") && text.length > 30,
    "a part of the answer",
  );
}
