// `sessile doctor`: checks a deployment from outside, and writes nothing.

import type { Command } from "commander";
import {
  createSession,
  ERROR_STATUS,
  type ErrorInfo,
  PROTOCOL,
  SessileError,
} from "../../index.ts";
import { type Answer, Api, pathOf } from "../api.ts";
import { EXIT, exitOf } from "../exits.ts";
import type { Io } from "../io.ts";
import { claimsOf } from "../jwt.ts";
import { count, json, oneLine, type Style, styled, time } from "../print.ts";
import { type TargetOptions, withTarget } from "../target.ts";

/** A token's times are taken with so much leeway (P2.1). */
const LEEWAY_MS = 30_000;
/** A token that ends so soon is worth a word. */
const SOON_MS = 5 * 60_000;
/** The longest wait for a connection. */
const ATTACH_MS = 10_000;
/** Reading a session that never existed writes nothing (P1.2). */
const SESSION = "sessile-doctor";

/** Refusals that say something of the deployment's keys, or of the token. */
const ABOUT: readonly string[] = ["not-configured", "unauthorized", "forbidden"];

export type State = "ok" | "warning" | "failed" | "skipped";

export interface Check {
  name: string;
  state: State;
  text: string;
}

const STYLE: Record<State, Style> = {
  ok: "green",
  warning: "yellow",
  failed: "red",
  skipped: "dim",
};

interface Options extends TargetOptions {
  session: string;
}

export function doctor(program: Command, io: Io, end: (code: number) => void): void {
  withTarget(program.command("doctor"))
    .description("check a deployment: reachable, keys, token, clock, inbox, push, connections")
    .option("--session <session>", "the session to attach to; nothing is written in it", SESSION)
    .action(async (options: Options) => {
      const path = pathOf(options.session);
      const api = new Api(options, io);
      const { checks, code } = await examine(api, path, options.session);
      end(code);
      const { url } = api.target;
      if (options.json) return io.out(json({ url, checks }));
      io.out(`${url}, with the token of ${api.target.source}\n`);
      for (const { name, state, text } of checks) {
        const label = styled(io, STYLE[state], state.padEnd(8));
        io.out(`${label} ${name.padEnd(12)} ${oneLine(text, 300)}\n`);
      }
    });
}

/** All checks, in an order in which each explains the next. */
async function examine(api: Api, path: string, session: string) {
  const checks: Check[] = [];
  const add = (name: string, state: State, text: string) => checks.push({ name, state, text });
  const done = (code: number) => ({ checks, code });

  const asked = Date.now();
  let answer: Answer;
  try {
    answer = await api.fetch(`${path}?rewind=0`);
  } catch (error) {
    if (!(error instanceof SessileError)) throw error;
    add("reachable", "failed", error.message);
    return done(EXIT.unreachable);
  }
  const took = Date.now() - asked;
  const error = errorOf(answer);
  const isSessile = error !== undefined || sessionOf(answer) === session;
  if (!isSessile) {
    add("reachable", "failed", `something answers (${answer.status}) that is no session layer`);
    return done(EXIT.unreachable);
  }
  if (error && !ABOUT.includes(error.code)) {
    add("reachable", "failed", error.message);
    return done(exitOf(SessileError.of(error)));
  }
  add("reachable", "ok", `a session layer answers in ${took} ms`);
  const { protocol, hostname } = new URL(api.target.url);
  const isOpen = protocol === "http:" && !api.target.isLocal;
  if (isOpen) add("encrypted", "warning", `tokens go to ${hostname} unencrypted: use https`);

  const open = await development(api);
  if (open) add(...open);
  if (error?.code === "not-configured") {
    add("keys", "failed", `${error.message}: see sessile keys list`);
    return done(EXIT.refused);
  }
  add("keys", "ok", "the deployment has keys for tokens");

  const isRefused = error?.code === "unauthorized";
  add(...(isRefused ? (["token", "failed", error.message] as const) : await accepted(api, error)));
  if (isRefused) {
    // A wrong clock is the likeliest reason.
    add(...clock(dateOf(answer), asked, took));
    return done(EXIT.token);
  }
  add(...(await part(api, "inbox", "inbox", "there is one")));
  add(...(await part(api, "push", "push/key", "Web Push is set up")));
  const { line, at, begunAt, ms } = await attach(api, session);
  add(...line);
  add(...(at === undefined ? clock(dateOf(answer), asked, took) : clock(at, begunAt, ms)));
  return done(checks.some(({ state }) => state === "failed") ? EXIT.refused : EXIT.done);
}

type Line = readonly [name: string, state: State, text: string];

/** Addresses that sign tokens for pages, which a server has for development alone (SESSILE_DEV). */
async function development(api: Api): Promise<Line | undefined> {
  const error = errorOf(await api.fetch("dev/tokens", { method: "POST" }));
  // Without an origin of its own the request is refused where there is such an address.
  if (error?.code === "not-found") return undefined;
  const found = "SESSILE_DEV is set: its pages are given tokens";
  if (api.target.isLocal) return ["development", "ok", found];
  return ["development", "failed", `${found}, and so is whoever reaches it: remove the variable`];
}

/** The time of an answer, to the second. */
function dateOf({ headers }: Answer): number | undefined {
  const date = headers.get("date");
  return date === null ? undefined : Date.parse(date);
}

/** Compares the time that was told with this machine's, between asking and the answer. */
function clock(at: number | undefined, asked: number, took: number): Line {
  if (at === undefined) return ["clock", "skipped", "nothing told its time"];
  // A date has no milliseconds.
  const off = Math.max(asked - at - 1_000, at - asked - took, 0);
  if (off < LEEWAY_MS) return ["clock", "ok", "this machine's clock agrees, within the leeway"];
  const text = `this machine's clock is ${Math.round(off / 1000)} s off: see to its time`;
  return ["clock", "failed", `${text}, or tokens made here are refused`];
}

/** A token that was accepted, and how long it will be. */
async function accepted({ target }: Api, error: ErrorInfo | undefined): Promise<Line> {
  const token = typeof target.token === "string" ? target.token : await target.token();
  const { sub = "?", exp = 0 } = claimsOf(token) ?? {};
  if (error) return ["token", "warning", `${sub} is known, but: ${error.message}`];
  const until = `${sub} until ${time(exp * 1000)}`;
  const isShort = typeof target.token === "string" && exp * 1000 - Date.now() < SOON_MS;
  return ["token", isShort ? "warning" : "ok", isShort ? `${until}, which is soon` : until];
}

/** The codes of a part that is not there, or not for this token. */
const LEFT_OUT: readonly string[] = ["not-found", "not-configured", "forbidden"];

/** A part that a deployment may leave out. */
export async function part(api: Api, name: string, path: string, said: string): Promise<Line> {
  try {
    await api.ask(path);
    return [name, "ok", said];
  } catch (error) {
    if (!(error instanceof SessileError)) throw error;
    const { code, message } = error;
    if (LEFT_OUT.includes(code)) return [name, "skipped", message];
    // Without its binding an inbox fails like one in trouble.
    if (code !== "internal" || name !== "inbox") return [name, "failed", message];
    return [name, "warning", `${message}; a deployment without the binding INBOXES has none`];
  }
}

/** A connection that was tried; `at` is the session's time, where it was told. */
interface Attached {
  line: Line;
  begunAt: number;
  ms: number;
  at?: number;
}

/** A WebSocket from here to the session, through whatever lies between. */
async function attach({ target }: Api, session: string): Promise<Attached> {
  const begunAt = Date.now();
  const made = (state: State, text: string, at?: number): Attached => {
    const line = ["connection", state, text] as const;
    return { line, begunAt, ms: Date.now() - begunAt, ...(at !== undefined && { at }) };
  };
  if (!globalThis.WebSocket) return made("skipped", "this Node has no WebSocket: use Node 22");
  const { url, token } = target;
  const page = createSession({ url, session, token, rewind: 0 });
  const late = setTimeout(() => page.close(), ATTACH_MS);
  try {
    await page.connect();
    const { protocol = 0, connections = 1, at } = page.link.attached ?? {};
    const text =
      `attached in ${Date.now() - begunAt} ms, protocol ${protocol}, ` +
      `${count(connections, "connection")} to ${session}`;
    if (protocol === PROTOCOL) return made("ok", text, at);
    return made("failed", `${text}; this program speaks protocol ${PROTOCOL}`, at);
  } catch (error) {
    if (!(error instanceof SessileError)) throw error;
    if (error.code === "forbidden") return made("skipped", error.message);
    const isLate = error.code === "session-closed";
    return made("failed", isLate ? `no WebSocket within ${ATTACH_MS / 1000} s` : error.message);
  } finally {
    clearTimeout(late);
    page.close();
  }
}

function errorOf({ body }: Answer): ErrorInfo | undefined {
  const { error } = (body ?? {}) as { error?: ErrorInfo };
  return error && Object.hasOwn(ERROR_STATUS, error.code) ? error : undefined;
}

function sessionOf({ body }: Answer): unknown {
  return (body as { session?: unknown } | undefined)?.session;
}
