// The pages of `docs/` as people follow them. The words behind a block's language, which no reader
// sees, say how it is used:
//
// | words | the block |
// | --- | --- |
// | `run` | is run to its end, and succeeds; the next one has the variables that it sets |
// | `again` | is run until it prints what the block after it says |
// | `stays` | is a process that stays until the end of the page |
// | `serves` | serves by `npx sessile dev` or `serve`, until the next one serves |
// | `stopped` | is run as `run`, once nothing serves any more |
// | `as=FILE` | is saved as that file |
// | `prints` | is what the block before it prints; `…` stands for any text |
//
// The folder has what its readers have: packages, and a model.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { freePort } from "./port.ts";
import { ROOT } from "./server.ts";
import { until, within } from "./wait.ts";

export interface Block {
  language: string;
  /** The words behind the language. */
  does: string[];
  code: string;
  line: number;
}

export function blocksOf(text: string): Block[] {
  const found: Block[] = [];
  let open: Block | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    const fence = /^```(\S*)\s*(.*)$/.exec(line);
    if (open !== undefined && fence !== null) {
      found.push(open);
      open = undefined;
    } else if (open !== undefined) open.code += `${line}\n`;
    else if (fence !== null) {
      const [, language = "", words = ""] = fence;
      open = { language, does: words.split(" ").filter(Boolean), code: "", line: at + 1 };
    }
  }
  return found;
}

/** Whether a text is what a page says that something prints, but for spaces that nobody sees. */
export function isPrinted(text: string, page: string): boolean {
  const seen = text.trim().replace(/ +$/gm, "");
  const parts = page.trim().split("…");
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[^]*")}$`).test(seen);
}

/** The command line, as `npx` finds it once it is installed; it serves at a free port. */
const NPX = `#!/bin/sh
[ "$1" = sessile ] || { echo "npx $1 is not for a page" >&2; exit 1; }
shift
case "$1" in dev | serve) set -- "$@" --port "$PAGE_PORT" ;; esac
exec "${process.execPath}" "${join(ROOT, "sdk", "src", "cli", "main.ts")}" "$@"
`;
/** Stands for any model of the AI SDK. */
const MODEL = join(ROOT, "examples", "agent-ai-sdk", "model.js");
/** Every variable and function of a block is there in the next one. */
const BEFORE = "set -aeuo pipefail; if [ -f .state ]; then . ./.state; fi\n";
const AFTER = "\n{ export -p; declare -f; } > .state\n";

export class Walk {
  readonly dir = mkdtempSync(join(tmpdir(), "sessile-page-"));
  #staying: ChildProcess[] = [];
  #serving: ChildProcess | undefined;
  /** Those of the Worker, and of a server of the page's own. */
  #ports = [0, 0];

  constructor() {
    mkdirSync(join(this.dir, ".bin"));
    writeFileSync(join(this.dir, ".bin", "npx"), NPX, { mode: 0o755 });
    symlinkSync(join(ROOT, "node_modules"), join(this.dir, "node_modules"));
    symlinkSync(MODEL, join(this.dir, "model.mjs"));
  }

  get #options() {
    const path = [join(this.dir, ".bin"), dirname(process.execPath), process.env.PATH].join(":");
    const [port] = this.#ports;
    const here = { PATH: path, PAGE_PORT: `${port}`, SESSILE_URL: `http://localhost:${port}` };
    // Else `node --test` takes itself for a part of this run, and does nothing.
    const env = { ...process.env, ...here, NODE_TEST_CONTEXT: undefined };
    return { cwd: this.dir, env, timeout: 60_000 };
  }

  /** Ports that are free on this machine take the place of those of the page. */
  #here(code: string): string {
    const [worker, own] = this.#ports;
    return code.replaceAll("8787", `${worker}`).replaceAll("8080", `${own}`);
  }

  async #run(code: string): Promise<string> {
    const script = BEFORE + this.#here(code) + AFTER;
    return (await promisify(execFile)("bash", ["-c", script], this.#options)).stdout;
  }

  async #serve(code: string): Promise<void> {
    await this.#end(this.#serving, "SIGINT");
    const said = this.#stay(code);
    this.#serving = this.#staying.at(-1);
    await until(said, (text) => text.includes("http://"), "the Worker to be served");
  }

  #stay(code: string): () => string {
    const child = spawn("bash", ["-c", BEFORE + this.#here(code)], {
      ...{ cwd: this.dir, env: this.#options.env, detached: true },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#staying.push(child);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    return () => said;
  }

  /** A component is rendered once, so that its imports are there, and its hooks. */
  async #save(name: string, code: string): Promise<void> {
    const file = join(this.dir, name);
    writeFileSync(file, this.#here(code));
    if (!name.endsWith(".tsx")) return;
    const outfile = file.replace(/tsx$/, "mjs");
    const given = { bundle: true, format: "esm", jsx: "automatic", packages: "external" } as const;
    await build({ ...given, entryPoints: [file], outfile });
    const { default: Component } = await import(outfile);
    const shown = renderToString(createElement(Component, { id: "chat-1" }));
    if (!shown.includes("<")) throw new Error(`${name} renders nothing`);
  }

  /** Does what a page says, and fails where something else comes of it. */
  async follow(blocks: Block[]): Promise<void> {
    this.#ports = [await freePort(), await freePort()];
    let prints: (expected: string) => Promise<void> | void = () => {};
    for (const { language, does, code, line } of blocks) {
      const [word = ""] = does;
      const what = `line ${line} to print what the page says`;
      const compare = (said: string, expected: string) => {
        if (!isPrinted(said, expected)) throw new Error(`waited for ${what}; it is\n${said}`);
      };
      if (word === "prints") await prints(code);
      else if (word === "serves") await this.#serve(code);
      else if (word.startsWith("as=")) await this.#save(word.slice(3), code);
      else if (word === "again") {
        prints = async (expected) => {
          await until(
            () => this.#run(code),
            (said) => isPrinted(said, expected),
            what,
          );
        };
      } else if (word === "stays") {
        const said = this.#stay(code);
        prints = async (expected) => {
          await until(said, (text) => isPrinted(text, expected), what);
        };
      } else if (["run", "stopped"].includes(word) && language === "sh") {
        if (word === "stopped") await this.#end(this.#serving, "SIGINT");
        const said = await this.#run(code);
        prints = (expected) => compare(said, expected);
      } else throw new Error(`line ${line}: nothing is known of \`${language} ${word}\``);
    }
  }

  async #end(child?: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // It has ended, and its end is not told yet.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await within(gone, "a process of the page to end");
  }

  async end(): Promise<void> {
    await this.#end(this.#serving, "SIGINT");
    for (const child of this.#staying) await this.#end(child);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
