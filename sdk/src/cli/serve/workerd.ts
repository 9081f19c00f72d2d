// workerd, the runtime of the Worker: a program of 150 MB that an app of the SDK does not install.
// It is found where wrangler or Miniflare brought it, or installed once for this user.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Misuse, Unable } from "../exits.ts";
import type { Io } from "../io.ts";
import type { Manifest } from "./manifest.ts";

/** How npm is called on Windows, where it is a script. */
const isWindows = process.platform === "win32";

/** The path of the program; it is installed first, after saying so, where there is none yet. */
export async function findWorkerd(manifest: Manifest, io: Io): Promise<string> {
  const named = io.env.SESSILE_WORKERD;
  if (named) {
    if (existsSync(named)) return named;
    throw new Misuse(`SESSILE_WORKERD names ${named}, which does not exist`);
  }
  const kept = join(cacheDirectory(io), `workerd-${manifest.workerd}`);
  for (const place of [io.cwd, io.root, kept]) {
    const found = workerdFrom(place, manifest);
    if (found !== undefined) return found;
  }
  await install(manifest.workerd, kept, io);
  const installed = workerdFrom(kept, manifest);
  if (installed !== undefined) return installed;
  throw new Unable(
    `there is no workerd for ${process.platform} on ${process.arch}: ` +
      "set SESSILE_WORKERD to one of your own",
  );
}

/** The program as seen from a directory, if it is not older than the Worker's date. */
function workerdFrom(directory: string, { compatibilityDate }: Manifest): string | undefined {
  try {
    const require = createRequire(join(directory, "package.json"));
    const about = require.resolve("workerd/package.json");
    const { version } = JSON.parse(readFileSync(about, "utf8")) as { version: string };
    const date = Number(version.split(".")[1]);
    if (!(date >= Number(compatibilityDate.replaceAll("-", "")))) return undefined;
    // It throws where the program of this platform is missing.
    const { default: path } = require("workerd") as { default: string };
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The user's place for files that can be had again. */
function cacheDirectory({ env }: Io): string {
  const own =
    process.platform === "darwin"
      ? join(homedir(), "Library", "Caches")
      : isWindows
        ? env.LOCALAPPDATA
        : env.XDG_CACHE_HOME;
  return join(own || join(homedir(), ".cache"), "sessile");
}

/** Installs beside the place and moves it there, so that it is there whole or not at all. */
async function install(version: string, place: string, io: Io): Promise<void> {
  io.err(`installing workerd ${version}, which runs the Worker, once into ${place}\n`);
  mkdirSync(dirname(place), { recursive: true });
  const beside = mkdtempSync(`${place}-`);
  try {
    const args = ["install", "--prefix", beside, "--no-save", "--no-audit", "--no-fund"];
    await promisify(execFile)("npm", [...args, "--loglevel=error", `workerd@${version}`], {
      cwd: beside,
      env: { ...io.env, npm_config_workspaces: undefined, npm_config_workspace: undefined },
      shell: isWindows,
      signal: io.signal,
    });
    rmSync(place, { recursive: true, force: true });
    renameSync(beside, place);
  } catch (cause) {
    const { stderr = "", message } = cause as Error & { stderr?: string };
    const why = stderr.trim().split("\n").slice(-3).join(" ") || message;
    throw new Unable(`npm could not install workerd ${version}: ${why}`);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}
