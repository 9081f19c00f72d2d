// One server for a directory: two would write the same sessions, each for itself.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Unable } from "../exits.ts";

const FILE = "lock";
/** How often an ended process is looked for. */
const POLL_MS = 50;

/** A process, and when it started, since ids are used again. */
interface Id {
  pid: number;
  started: string;
}

interface Held {
  by: Id;
  workerd?: Id;
}

export interface Hold {
  /** Notes the process that has the files open. */
  runs(pid: number): void;
  release(): void;
}

/**
 * Takes a directory. A workerd whose own process was killed still has it: that one is ended first,
 * and loses nothing that it has acknowledged.
 */
export async function hold(directory: string): Promise<Hold> {
  const path = join(directory, FILE);
  const own: Held = { by: { pid: process.pid, started: startOf(process.pid) } };
  while (!create(path, own)) {
    const { by, workerd } = read(path);
    if (isAlive(by)) {
      throw new Unable(`${directory} is served already, by process ${by?.pid}: end that one first`);
    }
    if (workerd !== undefined && isAlive(workerd)) {
      process.kill(workerd.pid, "SIGKILL");
      while (isAlive(workerd)) await pause(POLL_MS);
    }
    rmSync(path, { force: true });
  }
  return {
    runs(pid) {
      writeFileSync(path, JSON.stringify({ ...own, workerd: { pid, started: startOf(pid) } }));
    },
    release: () => rmSync(path, { force: true }),
  };
}

function create(path: string, held: Held): boolean {
  try {
    writeFileSync(path, JSON.stringify(held), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Nothing, for a file that is gone or was never finished. */
function read(path: string): Partial<Held> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Held;
  } catch {
    return {};
  }
}

function isAlive(id: Id | undefined): boolean {
  if (id === undefined || startOf(id.pid) !== id.started) return false;
  try {
    process.kill(id.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started; empty where that cannot be seen. */
function startOf(pid: number): string {
  try {
    if (process.platform === "win32") return "";
    if (process.platform !== "linux") {
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    }
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything: the fields are counted after it.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // Threads that outlive the first one still have the files and the port.
    const isGone = state === "Z" && fields[16] === "1";
    return isGone ? "gone" : `${boot} ${fields[18]}`;
  } catch {
    return "gone";
  }
}
