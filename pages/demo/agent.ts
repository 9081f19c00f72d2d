// The scripted agents: a Web Worker, so that to kill them is to kill a process.

import type { Access } from "../access/access.ts";
import type { Acknowledged } from "./tally.ts";

const SCRIPT = "/assets/agent-worker.js";

export type AgentState = "running" | "killed";

export class Agents {
  readonly #session: string;
  readonly #token: Access;
  readonly #report: (report: Acknowledged) => void;
  #worker: Worker | undefined;

  constructor(session: string, token: Access, report: (report: Acknowledged) => void) {
    this.#session = session;
    this.#token = token;
    this.#report = report;
  }

  get state(): AgentState {
    return this.#worker ? "running" : "killed";
  }

  async start(): Promise<void> {
    if (this.#worker) return;
    const worker = new Worker(SCRIPT, { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (data?.type === "acknowledged") this.#report(data as Acknowledged);
    };
    const token = await this.#token();
    worker.postMessage({ type: "start", url: location.origin, session: this.#session, token });
  }

  /** As `kill -9`: it says no goodbye, and its sockets break. */
  kill(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
