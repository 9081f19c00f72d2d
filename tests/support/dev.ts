// The Worker as people run it: `npm run dev`, which is wrangler and its workerd.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call } from "./http.ts";
import { freePort } from "./port.ts";
import { ROOT } from "./server.ts";
import { SIGNING_KEY } from "./token.ts";
import { until, within } from "./wait.ts";

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** The process and all that it started, by parent ids. */
function family(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  const all = [pid];
  for (let at = 0; at < all.length; at += 1) all.push(...(children.get(all[at] ?? 0) ?? []));
  return all;
}

export class Dev {
  readonly url: string;
  readonly #port: number;
  readonly #dir: string;
  readonly #vars: Record<string, string>;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #output = "";

  private constructor(
    port: number,
    dir: string,
    vars: Record<string, string>,
    flags: readonly string[],
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#dir = dir;
    this.#flags = flags;
    this.#vars = { SESSILE_SIGNING_KEY: SIGNING_KEY, ...vars };
  }

  /** A server on a free port, with a disk of its own that outlives its restarts. */
  static async begin(
    vars: Record<string, string> = {},
    flags: readonly string[] = [],
  ): Promise<Dev> {
    const dir = mkdtempSync(join(tmpdir(), "sessile-dev-"));
    const dev = new Dev(await freePort(), dir, vars, flags);
    await dev.start();
    return dev;
  }

  get port(): number {
    return this.#port;
  }

  /** Of two that start at once both may choose one port for their insides, and one gives up. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (await this.#begun()) return;
      assert.ok(attempt < 4, this.#output);
      for (const pid of this.family()) if (commandOf(pid) !== "") process.kill(pid, "SIGKILL");
    }
  }

  /** Starts it, and tells whether it serves: `false` if a port was taken meanwhile. */
  async #begun(): Promise<boolean> {
    this.#output = "";
    const child = spawn(
      "npm",
      [
        "run",
        "dev",
        "--",
        "--port",
        String(this.#port),
        "--ip",
        "127.0.0.1",
        "--persist-to",
        this.#dir,
        ...this.#flags,
        ...Object.entries(this.#vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
      ],
      { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "1" } },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        this.#output = (this.#output + chunk).slice(-5000);
      });
    }
    const isTaken = () => this.#output.includes("Address already in use (socket");
    const answers = () =>
      call(this, "ready", "GET", "/messages").then(
        ({ status }) => status,
        () => 0,
      );
    const is = (status: number) => status === 200 || isTaken();
    await until(answers, is, "wrangler dev to answer", 90_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.#output}`);
    });
    return !isTaken();
  }

  family(): number[] {
    return this.#child?.pid === undefined ? [] : family(this.#child.pid);
  }

  workerd(): number {
    const pid = this.family().find((one) => /\/workerd(\.exe)? serve/.test(commandOf(one)));
    assert.ok(pid, "wrangler has a workerd");
    return pid;
  }

  /** SIGTERM to npm alone, as a service manager sends it; everything below must end. */
  async stop(): Promise<void> {
    const all = this.family();
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const isGone = new Promise<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) done();
      else child.once("exit", () => done());
    });
    child.kill("SIGTERM");
    try {
      await within(isGone, "npm run dev to end");
      await until(
        () => all.filter((pid) => /workerd|wrangler|dev\.mjs/.test(commandOf(pid))),
        (left) => left.length === 0,
        "nothing to be orphaned",
      );
    } finally {
      for (const pid of all) {
        if (commandOf(pid) !== "") process.kill(pid, "SIGKILL");
      }
    }
  }

  /** Stops, and leaves nothing on the disk. */
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
