// The calls that an agent makes to tools of people's devices, folded from `attached` and call
// frames, and running them: each once, on one device (P8.9).

import type {
  AttachedFrame,
  ServerFrame,
  SessileError,
  SettleCallFrame,
  ToolCall,
} from "../protocol/index.ts";
import type { Engine, Feature } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";
import { type ListOptions, Waiting } from "./waiting.ts";

/** The tool calls of a session, and running them. Call it before `connect`, or any time later. */
export function callsOf(session: Session): CallsFeature {
  return session.feature(begin);
}

/** A page of calls, the newest first. */
export interface CallPage {
  calls: ToolCall[];
  hasMore: boolean;
  /** The `before` of the next page; there if `hasMore`. */
  next?: string;
}

/** The circumstances of a run. */
export interface ToolContext {
  readonly call: ToolCall;
  /** Aborted when the result is of no use any more: the call has expired, or its turn ended. */
  readonly signal: AbortSignal;
}

/**
 * Runs a tool on this device: takes the call's input, and returns the output as JSON, or a promise
 * of it. The error of a tool that throws is the result, too.
 */
// biome-ignore lint/suspicious/noExplicitAny: the input is whatever the agent and the page agree on
export type Tool = (input: any, context: ToolContext) => unknown;

/** Characters of a tool's error that are sent. */
const MESSAGE_LENGTH = 1000;
/** Errors after which a call is of no concern here. */
const OVER: readonly SessileError["code"][] = [
  "already-settled",
  "not-found",
  "turn-closed",
  "forbidden",
];

const begin = (engine: Engine) => new CallsFeature(engine);

/** A call that this page has claimed, or tries to. */
interface Run {
  readonly call: ToolCall;
  readonly tool: Tool;
  /** The id of the claim, which moves with it from one connection to the next. */
  readonly claim: string;
  readonly stop: AbortController;
  /** The connection that the claim holds on, as far as known. */
  connection?: string | undefined;
  hasBegun?: boolean;
  result?: Pick<SettleCallFrame, "output" | "error">;
  /** Whether a frame about it is on its way. */
  isAsking?: boolean;
}

export class CallsFeature implements Feature {
  readonly #engine: Engine;
  readonly #waiting: Waiting<ToolCall>;
  readonly #tools = new Map<string, Tool>();
  readonly #runs = new Map<string, Run>();
  /** Calls that are none of this client's, or done with. */
  readonly #over = new Set<string>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#waiting = new Waiting(engine, "calls", engine.options.initial?.calls ?? [], (call) => {
      if (call) this.#see(call);
      this.#look();
    });
  }

  /** The pending calls, claimed or not, the oldest first; a new array at each change. */
  get value(): readonly ToolCall[] {
    return this.#waiting.items;
  }

  get pending(): readonly ToolCall[] {
    return this.value;
  }

  /**
   * Runs the calls of a tool on this device. Whichever device claims a call runs it, and the others
   * leave it alone. The result is sent until the session has it, over other connections as well. A
   * page that is closed meanwhile gives the call back, and another device, or the same page when it
   * is loaded again, runs it. The returned function ends this, but not the runs that have begun.
   */
  handle(name: string, tool: Tool): () => void {
    this.#tools.set(name, tool);
    this.#look();
    return () => {
      if (this.#tools.get(name) === tool) this.#tools.delete(name);
    };
  }

  /** Reads all calls, settled ones too, the newest first. */
  list(options: ListOptions = {}): Promise<CallPage> {
    return this.#waiting.list(options);
  }

  attached({ calls }: AttachedFrame): void {
    this.#waiting.begin(calls);
    this.#look();
  }

  take(frame: ServerFrame): void {
    if ("call" in frame) this.#waiting.take(frame.call);
  }

  /** Takes a call that has changed. */
  #see({ id, status, claim }: ToolCall): void {
    const run = this.#runs.get(id);
    if (status !== "pending") this.#end(id);
    // Its lease ran out, as on a device that slept: the claim is made again.
    else if (run && claim?.id !== run.claim) run.connection = undefined;
  }

  #end(id: string): void {
    const run = this.#runs.get(id);
    this.#runs.delete(id);
    if (!run?.result) run?.stop.abort();
  }

  /** Claims what this page has a tool for, and sends results that wait. */
  #look(): void {
    const { attached } = this.#engine.link;
    if (!attached) return;
    // Whether this client has a role, only the session knows.
    const isAsked = (it: string) =>
      it === attached.client || it === attached.connection || it.startsWith("role:");
    for (const call of this.value) {
      const { id, name, to, claim } = call;
      const run = this.#runs.get(id);
      // Another device has it; a frame says when it is open again.
      if (claim && claim.id !== run?.claim) continue;
      const tool = this.#tools.get(name);
      if (run) void this.#drive(run);
      else if (tool && !this.#over.has(id) && (!to || to.some(isAsked))) {
        const begun: Run = { call, tool, claim: newId(), stop: new AbortController() };
        this.#runs.set(id, begun);
        void this.#drive(begun);
      }
    }
  }

  /** Takes a run as far as it can go now. */
  async #drive(run: Run): Promise<void> {
    if (run.isAsking) return;
    run.isAsking = true;
    const step = () => this.#step(run).catch((error) => this.#refused(run, error));
    while (this.#runs.get(run.call.id) === run && (await step()));
    run.isAsking = false;
  }

  /** Claims the call, or sends the result; returns whether there may be more to do. */
  async #step(run: Run): Promise<boolean> {
    const { link } = this.#engine;
    const { claim, result } = run;
    const { id: call } = run.call;
    const connection = link.attached?.connection;
    if (run.connection !== connection) {
      await link.request({ type: "tool.claim", call, id: claim }, { once: true });
      run.connection = connection;
      if (!run.hasBegun) void this.#run(run);
      return true;
    }
    if (!result) return false;
    const id = `result-${claim}`;
    await link.request({ type: "tool.result", call, claim, id, ...result }, { once: true });
    this.#end(call);
    return false;
  }

  async #run(run: Run): Promise<void> {
    const { call, tool, stop } = run;
    run.hasBegun = true;
    try {
      const output = await tool(call.input, { call, signal: stop.signal });
      run.result = { output: output ?? null };
    } catch (error) {
      run.result = failure(error);
    }
    await this.#drive(run);
  }

  /** Returns whether to try again at once. */
  #refused(run: Run, error: SessileError): boolean {
    const { code, info } = error;
    const { id } = run.call;
    if (OVER.includes(code)) return this.#leave(id);
    // The next connection looks again.
    if (code === "disconnected") return false;
    if (code === "rate-limited") {
      setTimeout(() => this.#look(), info?.retryAfterMs);
      return false;
    }
    if (code === "claimed" || code === "conflict") {
      run.connection = undefined;
      if (!run.hasBegun) this.#runs.delete(id);
      // A frame that said that it is open may have come before the refusal.
      return run.hasBegun === true && this.value.some((call) => call.id === id && !call.claim);
    }
    // The output is too long, or does not fit the schema: the agent learns that.
    if (!run.result || "error" in run.result) return this.#leave(id);
    run.result = failure(error);
    return true;
  }

  #leave(id: string): false {
    this.#over.add(id);
    this.#end(id);
    return false;
  }
}

function failure(error: unknown): { error: { message: string } } {
  const message = error instanceof Error ? error.message : String(error);
  return { error: { message: message.slice(0, MESSAGE_LENGTH) } };
}
