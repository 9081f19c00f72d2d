// A started program and all that it started end together with this process.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";

const LOOK_EVERY_MS = 1000;
const PATIENCE_MS = 5000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a program until it ends, and resolves to its exit code. A signal to this process, or the
 * death of the process that started it, ends the program; processes it leaves behind are killed.
 */
export function supervise(command, args, options) {
  const child = spawn(command, args, options);
  const parent = process.ppid;
  let family = new Map();
  let impatience;

  const end = (signal) => {
    family = new Map([...family, ...descendants(child.pid)]);
    child.kill(signal);
    impatience ??= setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  };
  const watch = setInterval(() => {
    if (process.ppid !== parent) end("SIGTERM");
    else family = descendants(child.pid);
  }, LOOK_EVERY_MS);
  for (const signal of SIGNALS) process.on(signal, end);

  const done = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  }).finally(() => {
    clearInterval(watch);
    clearTimeout(impatience);
    for (const signal of SIGNALS) process.off(signal, end);
    killLeftovers(family);
  });
  return { done, end: () => end("SIGTERM") };
}

/** Kills those of the family that still run and are still the same processes. */
function killLeftovers(family) {
  const present = processes();
  for (const [pid, { started }] of family) {
    if (present.get(pid)?.started !== started) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** All processes below one, by their ids. */
function descendants(ancestor) {
  const all = processes();
  const found = new Map();
  let parents = new Set([ancestor]);
  while (parents.size > 0) {
    const next = new Set();
    for (const [pid, it] of all) {
      if (!parents.has(it.parent) || found.has(pid)) continue;
      found.set(pid, it);
      next.add(pid);
    }
    parents = next;
  }
  return found;
}

/** Every process of the machine: its parent, and when it started (ids are reused). */
function processes() {
  return existsSync("/proc/self/stat") ? processesOfLinux() : processesByPs();
}

function processesOfLinux() {
  const all = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The name in parentheses may hold anything: the fields are counted after it.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      all.set(Number(pid), { parent: Number(fields[1]), started: fields[19] });
    } catch {
      // It ended while we were looking.
    }
  }
  return all;
}

function processesByPs() {
  const result = spawnSync("ps", ["-A", "-o", "pid=,ppid=,lstart="], { encoding: "utf8" });
  const rows = (result.stdout ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(
    rows.map(([pid, parent, ...started]) => [
      Number(pid),
      { parent: Number(parent), started: started.join(" ") },
    ]),
  );
}
