// The askings of a turn: approvals and questions to people (P8.1), calls to a client's device
// (P8.9). The turn is suspended until all of them are settled. The session keeps them, so the next
// process of the agent asks with the same ids and finds the answers.

import type {
  Approval,
  ApprovalStatus,
  CallToolFrame,
  ClientFrame,
  RequestApprovalFrame,
  ResultOf,
  SessileError,
  ToolCall,
} from "../protocol/index.ts";

/** The options of every asking. */
export interface AskedOptions {
  /**
   * Its own id. By default it is derived from the turn, from everything that is asked, and from how
   * often the turn has asked exactly that, so an answer counts only for the same asking. Give one
   * if the words may differ from one process to the next.
   */
  id?: string;
  /** Withdraws it, unless it is settled by then. */
  signal?: AbortSignal;
}

/** A request for approval (P8.1). */
export type ApproveOptions = AskedOptions &
  Omit<RequestApprovalFrame, "type" | "turn" | "attempt" | "kind" | "options">;

/** A question with options, a form, or both (P8.1). */
export type AskOptions = AskedOptions &
  Omit<RequestApprovalFrame, "type" | "turn" | "attempt" | "kind">;

/** The call of a tool (P8.9); with `suspend: false` the turn stays active meanwhile. */
export type CallOptions = AskedOptions &
  Omit<CallToolFrame, "type" | "turn" | "attempt" | "name" | "input">;

/** A tool has failed on the device, or nobody ran it in time. */
export class CallError extends Error {
  override readonly name = "CallError";
  /** `failed` with the device's `error`, `expired` or `withdrawn`. */
  readonly call: ToolCall;

  constructor(call: ToolCall) {
    const { name, status, error } = call;
    const why = (error as { message?: unknown } | undefined)?.message ?? error ?? `it is ${status}`;
    super(`unable to call ${name}; ${typeof why === "string" ? why : JSON.stringify(why)}`);
    this.call = call;
  }
}

/** The decision of a person, or of the deadline. */
export interface Settled {
  /** `answered` is for questions, `approved` and `rejected` for approvals. */
  status: Exclude<ApprovalStatus, "pending">;
  /**
   * The data to go on with: for an approval, as the person edited it, else as it was requested; for
   * a question, that of the answer, else that of the chosen option.
   */
  data: unknown;
  /** The id of the chosen option. */
  option?: string;
  comment?: string;
  /** The client that decided; absent where the deadline did. */
  decidedBy?: string;
  /** All of it, with its history. */
  approval: Approval;
}

/** The turn, for its askings. */
export interface Asker {
  readonly id: string;
  readonly signal: AbortSignal;
  ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>>;
  /** Resolves once this process leads the turn, and rejects if it does not. */
  led(): Promise<void>;
}

/** An approval, a question or a call. */
interface Asking {
  id: string;
  status: string;
}

/** A caller that waits until an asking is settled. */
interface Wait {
  id: string;
  ask(): void;
  done(asking: Asking): void;
  fail(error: unknown): void;
}

export class Askings {
  readonly #asker: Asker;
  readonly #waits = new Set<Wait>();
  /** How often the same was asked. */
  readonly #counts = new Map<string, number>();

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Whether a caller waits. */
  get isPending(): boolean {
    return this.#waits.size > 0;
  }

  async approval(
    kind: Approval["kind"],
    { signal, ...asked }: ApproveOptions | AskOptions,
  ): Promise<Settled> {
    const { id = await this.#name(kind, asked), ...more } = asked;
    const turn = this.#asker.id;
    const frame = { type: "approval.request", id, turn, kind, ...more } as const;
    const ask = async () => (await this.#asker.ask(frame)).approval;
    const withdraw = () => this.#asker.ask({ type: "approval.withdraw", approval: id });
    const approval = await this.#settled(id, ask, withdraw, signal);
    const { status, answer, data, option, options, comment, decidedBy } = approval;
    const chosen = kind === "approval" ? data : options?.find((it) => it.id === option)?.data;
    return {
      status: status as Settled["status"],
      data: answer ?? chosen,
      ...(option !== undefined && { option }),
      ...(comment !== undefined && { comment }),
      ...(decidedBy !== undefined && { decidedBy }),
      approval,
    };
  }

  async call(tool: string, input: unknown, { signal, ...options }: CallOptions): Promise<unknown> {
    const { id = await this.#name(tool, { input, ...options }), ...more } = options;
    const turn = this.#asker.id;
    const head = { type: "tool.call", id, turn, name: tool, suspend: true } as const;
    const frame = { ...head, ...(input !== undefined && { input }), ...more };
    const ask = async () => (await this.#asker.ask(frame)).call;
    const withdraw = () => this.#asker.ask({ type: "tool.withdraw", call: id });
    const call = await this.#settled(id, ask, withdraw, signal);
    if (call.status !== "complete") throw new CallError(call);
    return call.output;
  }

  /** The session reports an asking. */
  take(asking: Asking): void {
    if (asking.status === "pending") return;
    for (const wait of this.#waits) if (wait.id === asking.id) wait.done(asking);
  }

  /** Asks again: frames that settle something may have been missed. */
  again(): void {
    for (const wait of this.#waits) wait.ask();
  }

  fail(error: unknown): void {
    for (const wait of this.#waits) wait.fail(error);
  }

  /** Asks, and waits for the answer over as many connections as necessary. */
  async #settled<A extends Asking>(
    id: string,
    ask: () => Promise<A>,
    withdraw: () => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<A> {
    await this.#asker.led();
    signal?.throwIfAborted();
    let stop = () => {};
    const settled = new Promise<Asking>((done, fail) => {
      const wait: Wait = {
        ...{ id, done, fail },
        ask: () => void ask().then((asking) => this.take(asking), fail),
      };
      this.#waits.add(wait);
      const withdrawing = () =>
        // An earlier decision counts, and its frame is on its way.
        withdraw().catch(({ code }: SessileError) => /^already/.test(code) || fail(signal?.reason));
      signal?.addEventListener("abort", withdrawing);
      stop = () => {
        this.#waits.delete(wait);
        signal?.removeEventListener("abort", withdrawing);
      };
      wait.ask();
    });
    const asking = (await settled.finally(stop)) as A;
    // The last answer may have left the turn to the next process (P8.4).
    await this.#asker.led();
    if (asking.status === "withdrawn") signal?.throwIfAborted();
    return asking;
  }

  /** An id that is the same for the same asking in every process of the agent. */
  async #name(kind: string, { deadlineMs: _, escalate: __, ...what }: Record<string, unknown>) {
    const text = JSON.stringify([this.#asker.id, kind, what]);
    const count = (this.#counts.get(text) ?? 0) + 1;
    this.#counts.set(text, count);
    const bytes = new TextEncoder().encode(text + count);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes), 0, 16);
    return `ask-${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
}
