// The deployment that a command speaks to, and the token that it speaks with.

import type { Command } from "commander";
import type { Token } from "../index.ts";
import { readDevVars } from "./dev-vars.ts";
import { Misuse } from "./exits.ts";
import type { Io } from "./io.ts";
import { signToken } from "./jwt.ts";

/** The address at which `wrangler dev` serves, unless told. */
const LOCAL_URL = "http://localhost:8787";
const LOCAL_HOST = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;
const JWT = /^[\w~-]+\.[\w~-]+\.[\w~-]+$/;
/** A token for a local Worker is made for each request, and for each connection. */
const LOCAL_SECONDS = 600;

export interface TargetOptions {
  url?: string;
  token?: string;
  as?: string;
  json?: boolean;
}

export interface Target {
  /** The Worker's address, without a slash at its end. */
  readonly url: string;
  readonly token: Token;
  /** Whether the Worker runs on this machine. */
  readonly isLocal: boolean;
  /** The place that the token comes from, for people. */
  readonly source: string;
}

/** Gives a command the options of a target, and `--json`. */
export function withTarget(command: Command): Command {
  return command
    .option("--url <url>", `the Worker's address; else SESSILE_URL, else ${LOCAL_URL}`)
    .option("--token <token>", "a token; better SESSILE_TOKEN, which no list of processes shows")
    .option("--as <client>", "on a local Worker without a token: the client to be", "cli")
    .option("--json", "print JSON");
}

/** The address of the options or of the environment. */
export function urlOf({ url }: TargetOptions, { env }: Io): URL {
  const given = url ?? (env.SESSILE_URL || LOCAL_URL);
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.search || parsed.hash) {
    throw new Misuse(`${given} is no address of a Worker: it looks like https://example.com`);
  }
  if (/\/v1(\/|$)/.test(parsed.pathname)) {
    throw new Misuse(`${given} must end before /v1: the session is an argument of its own`);
  }
  return parsed;
}

/** The key of a local Worker; `undefined` where none is set. */
export function signingKey({ env, cwd }: Io): string | undefined {
  return env.SESSILE_SIGNING_KEY || readDevVars(cwd).SESSILE_SIGNING_KEY;
}

/**
 * A key signs only for a Worker on this machine: a deployment is spoken to with a token that
 * somebody has chosen.
 */
export function targetOf(options: TargetOptions, io: Io): Target {
  const parsed = urlOf(options, io);
  const url = parsed.href.replace(/\/+$/, "");
  const isLocal = LOCAL_HOST.test(parsed.hostname);
  const [given, source] = options.token
    ? [options.token, "--token"]
    : [io.env.SESSILE_TOKEN, "SESSILE_TOKEN"];
  if (given) {
    const token = given.trim();
    if (!JWT.test(token)) throw new Misuse(`${source} is no token: that is a JWT, in three parts`);
    return { url, token, isLocal, source };
  }
  if (!isLocal) {
    throw new Misuse(`there is no token for ${url}: set SESSILE_TOKEN, or give --token`);
  }
  const key = signingKey(io);
  if (!key) {
    throw new Misuse(
      "there is no token: set SESSILE_TOKEN, or call this in the checkout whose .dev.vars has " +
        "the SESSILE_SIGNING_KEY of the local Worker",
    );
  }
  const sub = options.as ?? "cli";
  const token = () => {
    const exp = Math.floor(Date.now() / 1000) + LOCAL_SECONDS;
    return signToken({ sub, exp, caps: { "*": ["admin"] } }, key);
  };
  token();
  return { url, token, isLocal, source: "SESSILE_SIGNING_KEY of this machine" };
}
