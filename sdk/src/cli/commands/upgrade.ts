// `sessile upgrade`: brings the config of a project to the release of the installed package.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { Misuse, Refused } from "../exits.ts";
import type { Io } from "../io.ts";
import { json } from "../print.ts";
import { lostClasses, plan, recordOf, setsVariable, topLevel } from "../project/config.ts";
import { findPackage, findProject, versionOf, WORKER } from "../project/project.ts";
import { type Manifest, readManifest } from "../serve/manifest.ts";

interface Options {
  dryRun?: boolean;
  check?: boolean;
  json?: boolean;
}

export function upgrade(program: Command, io: Io): void {
  program
    .command("upgrade")
    .description("bring a project of sessile init to the release of this package")
    .argument("[directory]", "the project", ".")
    .option("--dry-run", "show what would change, and write nothing")
    .option("--check", "write nothing, and fail where something would have to change")
    .option("--json", "print JSON: the releases and the changes")
    .action((directory: string, options: Options) => {
      const root = resolve(io.cwd, directory);
      const { config, text } = findProject(root);
      if (text === undefined) {
        throw new Misuse(`there is no project of Sessile in ${root}: npx sessile init makes one`);
      }
      const manifest = readManifest(io);
      refuse(config, text, manifest);
      const { text: after, changes } = plan(text, manifest);
      const worker = join(dirname(config), topLevel(text, "main") ?? "worker.js");
      const isWorkerLost = !existsSync(worker);
      if (isWorkerLost) changes.push(`${relative(root, worker)}, which was missing`);
      if (options.check && changes.length > 0) {
        const all = changes.join("; ");
        throw new Refused(
          `${config} is not ready for ${manifest.version}: npx sessile upgrade (${all})`,
        );
      }
      if (!options.check && !options.dryRun) {
        if (after !== text) writeFileSync(config, after);
        if (isWorkerLost) {
          mkdirSync(dirname(worker), { recursive: true });
          writeFileSync(worker, WORKER);
        }
      }
      const [from, to] = [recordOf(text).version, manifest.version];
      if (options.json) return io.out(json({ config, from, to, changes }));
      if (options.check) return;
      io.out(changes.map((change) => `+ ${change}\n`).join(""));
      const moved = from === to ? `it is at ${to}` : `from ${from} to ${to}`;
      const done = options.dryRun ? "nothing was written" : "npx wrangler deploy makes it so";
      io.err(`${relative(io.cwd, config)}: ${moved}; ${done}\n`);
    });
}

/** Stops where a deployment would fail, or would lose what is stored. */
function refuse(config: string, text: string, manifest: Manifest): void {
  const { version, schema } = manifest;
  const found = findPackage(dirname(config));
  const installed = found === undefined ? undefined : versionOf(found);
  if (installed !== version) {
    const there = installed === undefined ? "is not installed" : `is installed as ${installed}`;
    throw new Misuse(
      `this is sessile ${version}, which ${there} here: npm install sessile@${version}`,
    );
  }
  const before = recordOf(text);
  if (before.schema > schema) {
    throw new Refused(
      `unable to go back: ${before.version} stores sessions in schema ${before.schema}, and ` +
        `${version} reads ${schema} at most; install sessile ${before.version} or newer`,
    );
  }
  const lost = lostClasses(text, manifest);
  if (lost.length > 0) {
    throw new Refused(
      `unable to go back: a migration made ${lost.join(", ")}, which sessile ${version} has not, ` +
        `and migrations cannot be undone; install sessile ${before.version} or newer`,
    );
  }
  if (setsVariable(text, "SESSILE_DEV")) {
    throw new Refused(`${config} sets SESSILE_DEV, which is for development alone: remove it`);
  }
}
