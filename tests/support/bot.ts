// An agent behind a local address: it is called, checks who calls, and answers by single requests.

import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import type { Called, Endpoint } from "./endpoint.ts";
import type { Message, Turn } from "./frames.ts";
import { call, field } from "./http.ts";
import type { Server } from "./server.ts";
import { AGENT } from "./turns.ts";
import { until } from "./wait.ts";

export interface Wake {
  type: string;
  id: string;
  session: string;
  input?: string;
  turn?: string;
  attempt?: number;
  at: number;
  token?: string;
}

/** A call, once a verifier that is not ours has taken it. */
export function wakeOf(called: Called, secret: string): Wake {
  const wake = new Webhook(secret).verify(called.body, called.headers) as Wake;
  assert.equal(called.headers["webhook-id"], wake.id);
  assert.equal(wake.type, "input");
  return wake;
}

type Target = Pick<Server, "url">;

/**
 * Takes the turn of a wake; `undefined` where another process has it, or has ended it. One that was
 * asked for before is this process's own.
 */
export async function take(server: Target, wake: Wake, leaseMs = 30_000, isAgain = false) {
  const { session, input, turn } = wake;
  const json = { leaseMs, ...(input ? { input } : { id: turn }) };
  const answer = await call(server, session, "POST", "/turns", { ...AGENT, json });
  if (answer.status >= 500) throw new Error(answer.text);
  const started = field(answer, "turn") as Turn | undefined;
  const isOwn = isAgain && started?.status === "active";
  return field(answer, "duplicate") === true && !isOwn ? undefined : started;
}

/** Says all that a turn has to say, and ends it; doing so again changes nothing. */
export async function reply(server: Target, session: string, turn: Turn): Promise<void> {
  const { id, attempt } = turn;
  const message = { id: `${id}-answer`, turn: id, attempt, role: "assistant", data: "answered" };
  await call(server, session, "POST", "/messages", { ...AGENT, json: message });
  const json = { attempt, status: "complete" };
  const ended = await call(server, session, "POST", `/turns/${id}/end`, { ...AGENT, json });
  if (ended.status >= 500) throw new Error(ended.text);
}

/**
 * Lets an agent answer each call at once, 202, and do the work after it, until that is done: it
 * remembers ids, and outlives the server.
 */
export function answering(endpoint: Endpoint, server: () => Target, secret: string): void {
  const known = new Set<string>();
  endpoint.answer = (response, called) => {
    response.writeHead(202).end();
    const wake = wakeOf(called, secret);
    if (known.has(wake.id)) return;
    known.add(wake.id);
    void work(server, wake);
  };
}

async function work(server: () => Target, wake: Wake): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    try {
      const turn = await take(server(), wake, undefined, tries > 0);
      if (turn !== undefined) await reply(server(), wake.session, turn);
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** Every turn of a session, in the order in which they began. */
async function turnsOf(server: Target, session: string): Promise<Turn[]> {
  const answer = await call(server, session, "GET", "/turns?status=all&limit=100");
  return [...(field(answer, "turns") as Turn[])].reverse();
}

/** Waits until so many turns are complete, and checks that each input has one answer. */
export async function answered(
  server: Target,
  session: string,
  inputs: string[],
  order?: "in order",
): Promise<Turn[]> {
  const isDone = (turns: Turn[]) => {
    const done = turns.filter((turn) => turn.status === "complete");
    return inputs.length <= done.length;
  };
  const turns = await until(() => turnsOf(server, session), isDone, "an answer to each", 60_000);
  const began = [...turns].sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
  const taken = began.map((turn) => turn.input ?? "");
  assert.deepEqual(order ? taken : [...taken].sort(), inputs, "one turn each");
  const page = await call(server, session, "GET", "/messages?limit=1000");
  const messages = field(page, "messages") as Message[];
  const live = messages.filter((it) => it.role === "assistant" && it.deletedAt === undefined);
  assert.deepEqual(
    live.map((it) => it.data).filter((data) => data !== "answered"),
    [],
  );
  assert.equal(live.length, inputs.length, "one answer each");
  return turns;
}

/** Publishes so many inputs, or finds them, and gives their serials. */
export async function ask(server: Target, session: string, count: number): Promise<string[]> {
  const inputs: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const json = { data: `question ${index}`, id: `q${index}` };
    const options = { sub: "ann", caps: { "*": ["user"] }, json };
    const answer = await call(server, session, "POST", "/messages", options);
    assert.ok(answer.status === 201 || answer.status === 200, answer.text);
    const [message] = field(answer, "messages") as { serial: string }[];
    inputs.push(message?.serial ?? "");
  }
  return inputs;
}
