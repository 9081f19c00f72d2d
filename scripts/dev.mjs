// `npm run dev -- ARGS`: the built Worker in real workerd, by `wrangler dev` with these arguments.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { supervise } from "./lib/processes.mjs";
import {
  environment,
  inRoot,
  isMain,
  main,
  modernNode,
  nodeModules,
  read,
  root,
  say,
} from "./lib/project.mjs";
import { setup } from "./setup.mjs";

const KEYS = ["SESSILE_SIGNING_KEY", "SESSILE_KEYS", "SESSILE_JWKS_URL"];
const LOCAL_VARS = inRoot(".dev.vars");
/** Beside wrangler.toml, since its paths are meant from there. */
const LOCAL_CONFIG = ".wrangler.local.toml";
const MADE = "# Made by scripts/dev.mjs from wrangler.toml.\n\n";
const BUCKET = `
[[r2_buckets]]
binding = "FILES"
bucket_name = "sessile-files"
`;

// Nothing leaves the machine, and wrangler does not build the Rust again.
const LOCAL = {
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  SESSILE_BUILT: "1",
};

/** Starts `wrangler dev`; returns its end and a way to end it. */
export function serve(args) {
  const wrangler = join(nodeModules, "wrangler", "bin", "wrangler.js");
  const hasConfig = args.some((arg) => /^(-c|--config)(=|$)/.test(arg));
  const config = hasConfig ? [] : ["--config", localConfig()];
  return supervise(modernNode(), [wrangler, "dev", ...config, ...args], {
    cwd: root,
    stdio: "inherit",
    env: environment(LOCAL),
  });
}

/**
 * The configuration of this machine: wrangler.toml, and a bucket of wrangler's own for the files of
 * sessions. A deployment has one only where its owner made it (docs/deploy.md).
 */
function localConfig() {
  const toml = read("wrangler.toml");
  const made = /^\[\[r2_buckets\]\]/m.test(toml) ? toml : `${MADE}${toml}${BUCKET}`;
  const path = inRoot(LOCAL_CONFIG);
  // Wrangler begins anew when its configuration changes.
  if (!existsSync(path) || readFileSync(path, "utf8") !== made) writeFileSync(path, made);
  return LOCAL_CONFIG;
}

/**
 * Makes the secrets of this machine, unless it has some: a signing key (P2.7: there is no open
 * mode), and a key for notices to browsers (P10.1).
 */
export function makeLocalVars(args = []) {
  const isGiven = (name) => args.some((arg) => arg.replace("--var=", "").startsWith(`${name}:`));
  const lacks = (...names) => !names.some((name) => isGiven(name) || localVar(name) !== null);
  const made = [];
  if (lacks(...KEYS)) {
    made.push(`SESSILE_SIGNING_KEY=${randomBytes(32).toString("base64url")}`);
    // So that the pages have their tokens under a plain `wrangler dev`, too.
    if (lacks("SESSILE_DEV")) made.push("SESSILE_DEV=1");
  }
  if (lacks("SESSILE_VAPID_KEY", "SESSILE_VAPID_SUBJECT")) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    made.push(`SESSILE_VAPID_KEY=${privateKey.export({ format: "jwk" }).d}`);
    made.push("SESSILE_VAPID_SUBJECT=mailto:nobody@example.com");
  }
  if (made.length === 0) return;
  const before = existsSync(LOCAL_VARS) ? readFileSync(LOCAL_VARS, "utf8").trimEnd() : "";
  const lines = [...(before ? [before] : []), ...made, ""].join("\n");
  writeFileSync(LOCAL_VARS, lines, { mode: 0o600 });
  say("made keys for this machine in .dev.vars");
}

/** A variable of .dev.vars, or `null`. */
export function localVar(name) {
  if (!existsSync(LOCAL_VARS)) return null;
  const line = new RegExp(`^\\s*${name}\\s*=\\s*(.*)$`, "m").exec(readFileSync(LOCAL_VARS, "utf8"));
  return line ? line[1].trim().replace(/^(["'])(.*)\1$/, "$2") : null;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const args = process.argv.slice(2);
    await setup();
    await build();
    makeLocalVars(args);
    return await serve(args).done;
  });
}
