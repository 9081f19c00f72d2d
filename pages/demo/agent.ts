// The scripted agents: a Web Worker, so that to kill them is to kill a process.

import type { Access } from "../access/access.ts";
import type { Acknowledged } from "./tally.ts";

const SCRIPT = "/assets/agent-worker.js";

interface Told {
  /** Of a text that the session has acknowledged. */
  report(report: Acknowledged): void;
  /** Of trouble, for the person who looks. */
  fail(message: string): void;
}

export class Agents {
  readonly #session: string;
  readonly #token: Access;
  readonly #told: Told;
  #worker: Worker | undefined;

  constructor(session: string, token: Access, told: Told) {
    this.#session = session;
    this.#token = token;
    this.#told = told;
  }

  async start(): Promise<void> {
    if (this.#worker) return;
    const worker = new Worker(SCRIPT, { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (data?.type === "acknowledged") this.#told.report(data as Acknowledged);
      else if (data?.type === "error") this.#told.fail(`The agents: ${data.message}`);
    };
    worker.onerror = () => this.#told.fail("The agents’ script could not be run.");
    const token = await this.#token();
    worker.postMessage({ type: "start", url: location.origin, session: this.#session, token });
  }

  /** As `kill -9`: it says no goodbye, and its sockets break. */
  kill(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
