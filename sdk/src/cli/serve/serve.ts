// Serves the Worker of this package on this machine: plain workerd, with objects on the local disk.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Unable } from "../exits.ts";
import type { Io } from "../io.ts";
import { configOf } from "./config.ts";
import { type Hold, hold } from "./hold.ts";
import { readManifest, workerDirectory } from "./manifest.ts";
import { readPages } from "./pages.ts";
import type { Variables } from "./variables.ts";
import { findWorkerd } from "./workerd.ts";

/** workerd gets so long to end by itself. */
const PATIENCE_MS = 5_000;
/** The name under which workerd serves on this machine alone. */
const LOOPBACK = "127.0.0.1";

export interface Address {
  host: string;
  /** 0 for any free one. */
  port: number;
}

export interface Served {
  port: number;
  /** Resolves when workerd has ended: whether it was asked to. */
  ended: Promise<boolean>;
}

/** Starts, and ends when the signal of `io` does. */
export async function serve(
  directory: string,
  address: Address,
  variables: Variables,
  io: Io,
): Promise<Served> {
  const manifest = readManifest(io);
  const workerd = await findWorkerd(manifest, io);
  const [store, config] = [join(directory, "store"), join(directory, "workerd.capnp")];
  mkdirSync(store, { recursive: true });
  const held = await hold(directory);
  try {
    // Only now, since a workerd of this directory that was left alone had the port until here.
    await checkFree(address);
    const worker = workerDirectory(io);
    const callsLocal = variables.SESSILE_LOCAL_TARGETS === "1";
    const pages = readPages(join(worker, "assets"));
    const names = Object.keys(variables);
    writeFileSync(
      config,
      configOf({ manifest, pages, worker, store, variables: names, callsLocal }),
    );
    const { port } = address;
    const host = address.host === "localhost" ? LOOPBACK : address.host;
    const at = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const args = ["serve", config, `--import-path=${worker}`, "--control-fd=3"];
    const child = spawn(workerd, [...args, `--socket-addr=http=${at}`], {
      env: { ...io.env, ...variables },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    return await begun(child, held, io);
  } catch (error) {
    held.release();
    throw error;
  }
}

/** Says plainly that a port is taken; workerd says it later, and in its own words. */
function checkFree({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      const taken = `port ${port} is taken: give another with --port, or end what has it`;
      const why = code === "EACCES" ? `port ${port} is not for this user` : message;
      reject(new Unable(code === "EADDRINUSE" ? taken : `unable to listen at ${host}: ${why}`));
    });
    probe.listen({ port, host: host === "localhost" ? LOOPBACK : host, exclusive: true }, () => {
      probe.close(() => resolve());
    });
  });
}

async function begun(child: ChildProcess, held: Hold, io: Io): Promise<Served> {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2_000);
      io.err(text);
    });
  }
  let impatience: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill("SIGTERM");
    impatience ??= setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  };
  io.signal.addEventListener("abort", end);
  if (io.signal.aborted) end();
  const gone = new Promise<Error | undefined>((resolve) => {
    child.once("error", resolve);
    child.once("exit", () => resolve(undefined));
  });
  const ended = gone.then(() => {
    clearTimeout(impatience);
    io.signal.removeEventListener("abort", end);
    held.release();
    return io.signal.aborted;
  });
  if (child.pid !== undefined) held.runs(child.pid);
  const port = await Promise.race([listening(child), gone]);
  if (typeof port === "number") return { port, ended };
  await ended;
  throw new Unable(`workerd did not start: ${port?.message ?? said.trim()}`);
}

/** The port, as workerd tells it once it listens. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let all = "";
    child.stdio[3]?.on("data", (bytes: Buffer) => {
      all += bytes.toString("utf8");
      const lines = all.split("\n");
      all = lines.pop() ?? "";
      for (const line of lines) {
        const { event, socket, port } = JSON.parse(line);
        if (event === "listen" && socket === "http") resolve(port);
      }
    });
  });
}
