// `sessile keys`: makes the keys of a deployment, and lists what it may have (docs/deploy.md).

import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { Command } from "commander";
import { findDevVars, LOCAL_VARIABLES, readVars } from "../dev-vars.ts";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { json, table } from "../print.ts";

/** The keys that are made here: others come from Apple, Google or an issuer of tokens. */
const KINDS = {
  signing: {
    variable: "SESSILE_SIGNING_KEY",
    make: () => randomBytes(32).toString("base64url"),
  },
  webhook: {
    variable: "SESSILE_WEBHOOK_SECRETS",
    make: () => `whsec_${randomBytes(32).toString("base64")}`,
  },
  vapid: {
    variable: "SESSILE_VAPID_KEY",
    make: () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }).d ??
      "",
  },
};

export interface Setting {
  name: string;
  kind: "secret" | "variable";
  for: string;
}

const ONE_OF = "tokens; one of the three is needed";

/** Everything that a deployment may set. */
export const SETTINGS: readonly Setting[] = [
  { name: "SESSILE_SIGNING_KEY", kind: "secret", for: ONE_OF },
  { name: "SESSILE_KEYS", kind: "secret", for: ONE_OF },
  { name: "SESSILE_JWKS_URL", kind: "variable", for: ONE_OF },
  { name: "SESSILE_ISSUER", kind: "variable", for: "tokens of an issuer that signs for others" },
  { name: "SESSILE_AUDIENCE", kind: "variable", for: "tokens of an issuer that signs for others" },
  { name: "SESSILE_WEBHOOK_SECRETS", kind: "secret", for: "hooks, and agents woken by a webhook" },
  { name: "SESSILE_HOOKS", kind: "variable", for: "hooks of every session" },
  { name: "SESSILE_AGENT", kind: "variable", for: "the agent of every session" },
  { name: "SESSILE_VAPID_KEY", kind: "secret", for: "Web Push" },
  { name: "SESSILE_VAPID_SUBJECT", kind: "variable", for: "Web Push" },
  { name: "SESSILE_FCM_ACCOUNT", kind: "secret", for: "push by FCM" },
  { name: "SESSILE_APNS_KEY", kind: "secret", for: "push by APNs" },
  { name: "SESSILE_APNS_KEY_ID", kind: "variable", for: "push by APNs" },
  { name: "SESSILE_APNS_TEAM", kind: "variable", for: "push by APNs" },
  { name: "SESSILE_APNS_TOPIC", kind: "variable", for: "push by APNs" },
  { name: "SESSILE_CLAIMS", kind: "variable", for: "what plain tokens may do" },
  { name: "SESSILE_LIMITS", kind: "variable", for: "other limits" },
  { name: "SESSILE_LOG", kind: "variable", for: "a line for each milestone of a session" },
  {
    name: "SESSILE_LOCAL_TARGETS",
    kind: "variable",
    for: "hooks and agents at local addresses, for development",
  },
];

/** One of these is needed (P2.7). */
export const KEYS_OF_TOKENS = SETTINGS.filter((it) => it.for === ONE_OF).map(({ name }) => name);

type Kind = keyof typeof KINDS;

function isKind(word: string): word is Kind {
  return Object.hasOwn(KINDS, word);
}

export function makeKey(kind: Kind): string {
  return KINDS[kind].make();
}

export function keys(program: Command, io: Io): void {
  const command = program
    .command("keys")
    .description("make keys, and list what a deployment needs");
  command
    .command("make")
    .description("print a new key, and to standard error how to set it")
    .argument("[kind]", `${Object.keys(KINDS).join(", ")}`, "signing")
    .option("--json", "print JSON: the variable and its value")
    .action((kind: string, options: { json?: boolean }) => {
      if (!isKind(kind))
        throw new Misuse(`there is no kind ${kind}: ${Object.keys(KINDS).join(", ")}`);
      const value = makeKey(kind);
      const { variable } = KINDS[kind];
      if (options.json) return io.out(json({ variable, value }));
      io.out(`${value}\n`);
      io.err(
        `deployed: npx wrangler secret put ${variable}\n` +
          `locally: a line ${variable}=… in .dev.vars\n`,
      );
    });
  command
    .command("list")
    .description("the secrets and variables of a deployment, and which of them are set here")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }) => {
      const [file, made] = [findDevVars(io.cwd), findDevVars(io.cwd, LOCAL_VARIABLES)];
      const [local, own] = [readVars(file), readVars(made)];
      const settings = SETTINGS.map((setting) => {
        const { name } = setting;
        const places = { environment: io.env, ".dev.vars": local, ".sessile": own };
        const here = Object.entries(places).find(([, place]) => place[name])?.[0];
        return { ...setting, ...(here && { here }) };
      });
      if (options.json) return io.out(json({ settings }));
      const rows = settings.map(({ name, kind, here, ...it }) => [name, kind, it.for, here ?? "-"]);
      io.out(table(["name", "kind", "for", "set here"], rows));
      const all = [file, made].filter((path) => path !== undefined).join(" and ");
      const read = all ? `read ${all}` : "there is no .dev.vars here";
      io.err(`${read}; a deployment tells nobody its secrets\n`);
    });
}
