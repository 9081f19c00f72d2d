// A workerd that a test forgot must not keep the test's process from ending. Miniflare kills it
// when the process exits, and has no way to say that the process may.

import type { ChildProcess } from "node:child_process";
import type { Server } from "node:net";

interface Handle {
  unref?(): void;
}

/** Undocumented and old; where it is missing, a test that does not stop keeps its process. */
function handles(): Handle[] {
  const { _getActiveHandles: all } = process as { _getActiveHandles?: () => Handle[] };
  return all?.call(process) ?? [];
}

/** Longer than any wait. */
const LONG_MS = 2 ** 30;

/** Keeps the process until something is done by handles that do not. */
export async function holding<T>(work: Promise<T>): Promise<T> {
  const held = setInterval(() => {}, LONG_MS);
  return work.finally(() => clearInterval(held));
}

let last: Promise<unknown> = Promise.resolve();

/** Starts a workerd, and lets the process end without it. One at a time, to know whose it is. */
export function begun<T>(start: () => Promise<T>): Promise<T> {
  const starting = last.then(async () => {
    const before = new Set(handles());
    const started = await start();
    for (const handle of handles()) if (!before.has(handle)) letGo(handle as ChildProcess);
    return started;
  });
  last = starting.catch(() => {});
  return starting;
}

/** Of all that began meanwhile only what is certainly Miniflare's: workerd, and what it calls. */
function letGo(child: ChildProcess): void {
  if (!/workerd(\.exe)?$/.test(child.spawnfile ?? "")) return;
  child.unref();
  for (const stream of child.stdio) (stream as Handle | null)?.unref?.();
  const ports = child.spawnargs.flatMap((arg) => /^--external-addr=.*:(\d+)$/.exec(arg)?.[1] ?? []);
  for (const handle of handles()) {
    const address = (handle as Partial<Server>).address?.();
    if (address === null || typeof address !== "object") continue;
    if ("remotePort" in handle || !ports.includes(String(address.port))) continue;
    handle.unref?.();
  }
}
