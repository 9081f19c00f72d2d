// An agent's session in a test, and what a reader then finds.

import { afterEach } from "node:test";
import { call, field, getHistory } from "../../../../tests/support/http.ts";
import { makeToken } from "../../../../tests/support/token.ts";
import { type AgentOptions, createAgentSession, overFetch } from "../../../src/agent/index.ts";
import type { AgentSession } from "../../../src/agent/session.ts";
import type { Message, Turn } from "../../../src/protocol/index.ts";

type Target = { url: string };

/** Both ways to a session; what an agent can do does not depend on it. */
export const LINKS = { "a WebSocket": undefined, "fetch alone": overFetch };

export function join(
  server: Target,
  session: string,
  options: Partial<AgentOptions> = {},
): AgentSession {
  const token = () => makeToken({ sub: "agent", caps: { "*": ["agent"] } });
  const agent = createAgentSession({ url: server.url, session, token, ...options });
  agents.push(agent);
  return agent;
}

const agents: AgentSession[] = [];

/** An agent that a failed test leaves behind would keep the process. */
afterEach(() => {
  for (const agent of agents.splice(0)) agent.close();
});

/** The log's content: name and data of each message, without tombstones. */
export async function contents(server: Target, session: string): Promise<[string, unknown][]> {
  const messages = (await getHistory(server as never, session)) as unknown as Message[];
  return messages
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map(({ name, data }) => [name, data]);
}

export async function getTurn(server: Target, session: string, id: string): Promise<Turn> {
  const answer = await call(server as never, session, "GET", `/turns/${id}`);
  return field(answer, "turn") as Turn;
}

/** A source that gives what it is told to, when it is told. */
export class Tap<Part> implements AsyncIterable<Part> {
  #parts: Part[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  /** Whether the reader said that it wants no more. */
  isStopped = false;

  give(...parts: Part[]): void {
    this.#parts.push(...parts);
    this.#wake?.();
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Part> {
    return {
      next: async () => {
        while (this.#parts.length === 0 && !this.#isOver && !this.isStopped) {
          await new Promise<void>((done) => {
            this.#wake = done;
          });
        }
        const [value] = this.#parts.splice(0, 1);
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: async () => {
        this.isStopped = true;
        this.#wake?.();
        return { done: true, value: undefined };
      },
    };
  }
}
