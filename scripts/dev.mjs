// `npm run dev -- ARGS`: the built Worker in real workerd, by `wrangler dev` with these arguments.
import { randomBytes } from "node:crypto";
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
  root,
  say,
} from "./lib/project.mjs";
import { setup } from "./setup.mjs";

const KEYS = ["SESSILE_SIGNING_KEY", "SESSILE_KEYS", "SESSILE_JWKS_URL"];
const LOCAL_KEYS = inRoot(".dev.vars");

// Nothing leaves the machine, and wrangler does not build the Rust again.
const LOCAL = {
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  SESSILE_BUILT: "1",
};

/** Starts `wrangler dev`; returns its end and a way to end it. */
export function serve(args) {
  const wrangler = join(nodeModules, "wrangler", "bin", "wrangler.js");
  return supervise(modernNode(), [wrangler, "dev", ...args], {
    cwd: root,
    stdio: "inherit",
    env: environment(LOCAL),
  });
}

/** Makes a local signing key unless some key is configured (P2.7: there is no open mode). */
export function makeLocalKey(args = []) {
  const isGiven = args.some((arg) =>
    KEYS.some((key) => arg.replace("--var=", "").startsWith(`${key}:`)),
  );
  if (isGiven || KEYS.some((key) => localVar(key) !== null)) return;
  const before = existsSync(LOCAL_KEYS) ? readFileSync(LOCAL_KEYS, "utf8") : "";
  const key = randomBytes(32).toString("base64url");
  writeFileSync(LOCAL_KEYS, `${before}SESSILE_SIGNING_KEY=${key}\n`, { mode: 0o600 });
  say("made a signing key for this machine in .dev.vars");
}

/** A variable of .dev.vars, or `null`. */
export function localVar(name) {
  if (!existsSync(LOCAL_KEYS)) return null;
  const line = new RegExp(`^\\s*${name}\\s*=\\s*(.*)$`, "m").exec(readFileSync(LOCAL_KEYS, "utf8"));
  return line ? line[1].trim().replace(/^(["'])(.*)\1$/, "$2") : null;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const args = process.argv.slice(2);
    await setup();
    await build();
    makeLocalKey(args);
    return await serve(args).done;
  });
}
