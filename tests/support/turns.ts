// Turns as agents and people drive them, and what the session says of them over HTTP.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Client, type ConnectOptions, connect } from "./client.ts";
import type { Member, Message, Turn } from "./frames.ts";
import { call, field } from "./http.ts";
import type { Server } from "./server.ts";
import { makeToken, type TokenOptions } from "./token.ts";
import { until, within } from "./wait.ts";

type Target = Pick<Server, "url">;

export const AGENT = { sub: "scribe", caps: { "*": ["agent"] } };
export const USER = { sub: "ann", caps: { "*": ["user"] } };
export const VIEWER = { sub: "victor", caps: { "*": ["viewer"] } };

/** A connection of an agent; another client where `options` names one. */
export function agent(server: Target, session: string, options: ConnectOptions = {}) {
  return connect(server, session, { ...AGENT, ...options });
}

/** Starts a turn, which must be acknowledged. */
export async function start(
  client: Client,
  fields: Record<string, unknown> = {},
): Promise<Turn & { duplicate?: boolean }> {
  const { turn, duplicate } = await client.ok({ type: "turn.start", ...fields });
  assert.ok(turn, "turn.start is acknowledged with the turn");
  return duplicate === undefined ? turn : { ...turn, duplicate };
}

/** Any frame that is acknowledged with its turn. */
export async function drive(
  client: Client,
  type: string,
  turn: string,
  fields: Record<string, unknown> = {},
): Promise<Turn> {
  const result = await client.ok({ type, turn, ...fields });
  assert.ok(result.turn, `${type} is acknowledged with the turn`);
  return result.turn;
}

export function end(client: Client, turn: string, status = "complete", fields = {}): Promise<Turn> {
  return drive(client, "turn.end", turn, { status, ...fields });
}

/** Begins an answer in a turn, and gives its serial. */
export function answer(
  client: Client,
  turn: string,
  fields: Record<string, unknown> = {},
): Promise<string> {
  return client.publish("", {
    turn,
    name: "answer",
    role: "assistant",
    status: "streaming",
    ...fields,
  });
}

export async function cancel(client: Client, fields: Record<string, unknown>): Promise<Turn[]> {
  const { turns } = await client.ok({ type: "cancel", ...fields });
  assert.ok(turns, "cancel is acknowledged with the turns");
  return turns;
}

async function read(server: Target, session: string, path: string, options: TokenOptions = {}) {
  const answered = await call(server, session, "GET", path, options);
  assert.equal(answered.status, 200, answered.text);
  return answered;
}

export async function getTurn(server: Target, session: string, id: string): Promise<Turn> {
  return field(await read(server, session, `/turns/${encodeURIComponent(id)}`), "turn") as Turn;
}

export async function getTurns(
  server: Target,
  session: string,
  query = "",
): Promise<{ turns: Turn[]; hasMore: boolean; next?: string }> {
  const { body } = await read(server, session, `/turns${query}`);
  return body as { turns: Turn[]; hasMore: boolean; next?: string };
}

export async function getPresence(
  server: Target,
  session: string,
  options: TokenOptions = {},
): Promise<Member[]> {
  return field(await read(server, session, "/presence", options), "presence") as Member[];
}

export interface Snapshot {
  serial: string;
  turns: Turn[];
  presence: Member[];
  messages: Message[];
}

export async function getSnapshot(server: Target, session: string): Promise<Snapshot> {
  return (await read(server, session, "")).body as Snapshot;
}

export async function settings(
  server: Target,
  session: string,
  values: Record<string, unknown>,
): Promise<void> {
  const answered = await call(server, session, "PATCH", "", { json: { settings: values } });
  assert.equal(answered.status, 200, answered.text);
}

/** One frame over HTTP, with its ack or nack as the answer (P12.1). */
export function post(
  server: Target,
  session: string,
  frame: Record<string, unknown>,
  options: TokenOptions = AGENT,
) {
  return call(server, session, "POST", "/frames", { ...options, json: frame });
}

/** Asks the disk, not the session: so it is an alarm that wakes it, and nobody's request. */
export async function untilNoneIsOpen(server: Server, session: string): Promise<void> {
  await until(
    () => server.query(session, "SELECT id FROM turn WHERE open IS NOT NULL"),
    (rows) => rows.length === 0,
    "every turn to be ended by an alarm",
  );
}

/** An agent of its own process, which leads a turn and streams into it until it is killed. */
export interface AgentProcess {
  turn: string;
  serial: string;
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>;
}

/** Starts one, and waits until it streams. */
export async function spawnAgent(
  server: Target,
  session: string,
  leaseMs: number,
): Promise<AgentProcess> {
  const script = join(import.meta.dirname, "agent-process.ts");
  const token = await makeToken(AGENT);
  const args = [script, server.url, session, token, String(leaseMs)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const streams = new Promise<{ turn: string; serial: string }>((done, fail) => {
    child.stdout.setEncoding("utf8").once("data", (line: string) => done(JSON.parse(line)));
    child.once("exit", (code) => fail(new Error(`the agent ended with ${code}`)));
  });
  const kill9 = async () => {
    child.kill("SIGKILL");
    await within(gone, "the agent to die");
  };
  try {
    return { ...(await within(streams, "an agent that streams")), kill9 };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
