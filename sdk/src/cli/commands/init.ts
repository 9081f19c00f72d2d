// `sessile init`: the Worker in somebody's own wrangler project, by reference to the package.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { Misuse } from "../exits.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { newConfig } from "../project/config.ts";
import { FOLDER, findPackage, findProject, pathFrom, WORKER } from "../project/project.ts";
import { readManifest } from "../serve/manifest.ts";
import { makeKey } from "./keys.ts";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const LOCAL_KEY = /^\s*SESSILE_(SIGNING_KEY|KEYS|JWKS_URL)\s*=/m;

interface Options {
  name: string;
  force?: boolean;
  json?: boolean;
}

export function init(program: Command, io: Io): void {
  program
    .command("init")
    .description("put the Worker into a wrangler project, ready for wrangler deploy")
    .argument("[directory]", "the project", ".")
    .option("--name <name>", "the Worker's name", "sessile")
    .option("--force", "overwrite files that differ")
    .option("--json", "print JSON: the config and the files that were written")
    .action((directory: string, options: Options) => {
      if (!NAME.test(options.name)) throw new Misuse(`${options.name} is no name of a Worker`);
      const root = resolve(io.cwd, directory);
      const { config, text, other } = findProject(root);
      const isThere = text !== undefined && !options.force;
      const files = filesOf(root, config, options.name, io);
      // They may have been changed since.
      if (isThere) for (const path of [config, workerOf(root)]) files.delete(path);
      const written = write(files, options.force === true);
      const show = (path: string) => relative(io.cwd, path) || path;
      if (options.json) return io.out(json({ config, written }));
      for (const path of written) io.out(`${show(path)}\n`);
      if (isThere) {
        const kept = written.length === 0 ? "everything is there already" : "the rest is there";
        io.err(`${kept}; npx sessile upgrade moves it to this release\n`);
      }
      io.err(steps(root, config, other, options.name, show));
    });
}

function workerOf(root: string): string {
  return join(root, FOLDER, "worker.js");
}

/** The files of a project by their paths. */
function filesOf(root: string, config: string, name: string, io: Io): Map<string, string> {
  const [worker, found] = [workerOf(root), findPackage(root)];
  const pages = join(found ?? join(root, "node_modules", "sessile"), "dist", "worker", "assets");
  const place = { main: pathFrom(config, worker), assets: pathFrom(config, pages) };
  const variables = join(dirname(config), ".dev.vars");
  const ignored = join(dirname(config), ".gitignore");
  // Lines go below what is there.
  const read = (path: string) =>
    existsSync(path) ? readFileSync(path, "utf8").replace(/[^\n]$/, "$&\n") : "";
  const files = new Map([
    [config, newConfig(readManifest(io), name, place)],
    [worker, WORKER],
  ]);
  if (!LOCAL_KEY.test(read(variables))) {
    files.set(variables, `${read(variables)}SESSILE_SIGNING_KEY=${makeKey("signing")}\n`);
  }
  const missing = [".dev.vars", ".wrangler"].filter(
    (line) => !new RegExp(`^/?\\${line}(\\*|/)?\\s*$`, "m").test(read(ignored)),
  );
  if (missing.length > 0) files.set(ignored, `${read(ignored)}${missing.join("\n")}\n`);
  return files;
}

/** Writes what is missing; gives the paths. A file that differs stays, unless it only grows. */
function write(files: Map<string, string>, isForced: boolean): string[] {
  const changed = [...files].filter(([path, text]) => {
    if (!existsSync(path)) return true;
    const before = readFileSync(path, "utf8");
    if (before === text) return false;
    if (isForced || text.startsWith(before)) return true;
    throw new Misuse(`${path} is there already, and is another file: --force overwrites it`);
  });
  for (const [path, text] of changed) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, path.endsWith(".dev.vars") ? { mode: 0o600 } : {});
  }
  return changed.map(([path]) => path);
}

/** The next steps, in the order in which they are done. */
function steps(
  root: string,
  config: string,
  other: string | undefined,
  name: string,
  show: (path: string) => string,
): string {
  const isBeside = other !== undefined;
  const how = isBeside ? ` -c ${show(config)}` : "";
  const missing = ["sessile", "wrangler"].filter((it) => findPackage(root, it) === undefined);
  const lines = [
    ...missing.map((it) => `npm install ${it === "wrangler" ? "--save-dev " : ""}${it}`),
    `npx wrangler dev${isBeside ? ` -c ${show(other)}` : ""}${how}`,
    `npx sessile keys make signing | npx wrangler secret put SESSILE_SIGNING_KEY${how}`,
    `npx wrangler deploy${how}`,
    "npx sessile doctor --url https://…",
  ];
  const text = `next:\n${lines.map((line) => `  ${line}\n`).join("")}`;
  if (!isBeside) return text;
  const service = other.endsWith(".toml")
    ? `[[services]]\n  binding = "SESSILE"\n  service = "${name}"`
    : `"services": [{ "binding": "SESSILE", "service": "${name}" }]`;
  return `${text}to call it from your own Worker, add to ${show(other)}:\n  ${service}\n`;
}
