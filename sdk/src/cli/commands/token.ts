// `sessile token`: makes a token with the shared key of a deployment (P2.1).

import type { Command } from "commander";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { type Claims, signToken } from "../jwt.ts";
import { json } from "../print.ts";
import { signingKey } from "../target.ts";

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 };

interface Options {
  cap: Record<string, string[]>;
  name?: string;
  role?: string;
  expires: number;
  issuer?: string;
  audience?: string;
  json?: boolean;
}

export function token(program: Command, io: Io): void {
  program
    .command("token")
    .description("make a token with SESSILE_SIGNING_KEY, of the environment or of .dev.vars")
    .argument("<client>", "the client: the token's sub")
    .option(
      "--cap <pattern=words>",
      "what it may in which sessions, as support-*=user,turn; may be repeated (default: *=user)",
      cap,
      {},
    )
    .option("--name <name>", "the name that people see")
    .option("--role <role>", "user, agent or supervisor, where the words do not say it")
    .option("--expires <time>", "how long it is valid: 30s, 15m, 12h, 7d", seconds, 3600)
    .option("--issuer <iss>", "where the deployment sets SESSILE_ISSUER")
    .option("--audience <aud>", "where the deployment sets SESSILE_AUDIENCE")
    .option("--json", "print JSON: the token and its claims")
    .action((sub: string, options: Options) => {
      const key = signingKey(io);
      if (!key) {
        throw new Misuse(
          "there is no key: set SESSILE_SIGNING_KEY, or call this where .dev.vars has it",
        );
      }
      const { name, role, issuer, audience } = options;
      const now = Math.floor(Date.now() / 1000);
      const claims: Claims = {
        sub,
        iat: now,
        exp: now + options.expires,
        ...(name && { name }),
        ...(role && { role }),
        ...(issuer && { iss: issuer }),
        ...(audience && { aud: audience }),
        caps: Object.keys(options.cap).length > 0 ? options.cap : { "*": ["user"] },
      };
      const made = signToken(claims, key);
      io.out(options.json ? json({ token: made, claims }) : `${made}\n`);
    });
}

function cap(text: string, before: Record<string, string[]>): Record<string, string[]> {
  const [, pattern, words = ""] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  if (pattern === undefined) throw new Misuse(`--cap takes PATTERN=WORD,WORD, not ${text}`);
  const all = words.split(",").map((word) => word.trim());
  return { ...before, [pattern]: [...(before[pattern] ?? []), ...all] };
}

function seconds(text: string): number {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const all = Number(number) * UNITS[unit as keyof typeof UNITS];
  if (all > 0) return all;
  throw new Misuse(`--expires takes a number and s, m, h or d, as 15m, not ${text}`);
}
