// What an agent holds of a session: the connection, the turns that it leads, and the history.

import type { ConnectionOptions, ConnectionStatus, Link, Owner } from "../connection/types.ts";
import {
  type AttachedFrame,
  type ClientFrame,
  type Message,
  type Page,
  placeOf,
  type ResultOf,
  type ServerFrame,
  SessileError,
  type StartTurnFrame,
  type Turn,
} from "../protocol/index.ts";
import { overSocket } from "./over-socket.ts";
import { AgentTurn, type Host } from "./turn.ts";

/** Makes the link to the session: the WebSocket, unless another is given. */
export type LinkTo = (options: ConnectionOptions, owner: Owner) => Link;

export interface AgentOptions extends Omit<ConnectionOptions, "rewind"> {
  /** `overFetch` where there are no WebSockets. */
  link?: LinkTo;
  /** Called with each new message of a user that belongs to no turn: what there is to answer. */
  onInput?: (message: Message) => void;
  /** Called with each turn that waits for an agent; take it with `startTurn({ input })`. */
  onQueued?: (turn: Turn) => void;
  /** Called when the connection comes, goes, or is given up. */
  onStatus?: (status: ConnectionStatus) => void;
  /** Called when something went wrong that belongs to no call. */
  onError?: (error: SessileError) => void;
}

export interface StartOptions extends Omit<StartTurnFrame, "type"> {
  /**
   * What to do where another process of this client answers the input already: `refuse` throws
   * a `TakenError`, `adopt` takes an open turn over in place of what was said in it, and `keep`
   * goes on after it.
   */
  taken?: "refuse" | "adopt" | "keep";
}

/** The input is answered already, or was; `turn` is the one that does. */
export class TakenError extends SessileError {
  readonly turn: Turn;

  constructor(turn: Turn) {
    const hint = "adopt it, leave it, or start another with `again: true` and an `id`";
    const message = `unable to start the turn; turn ${turn.id} is ${turn.status}: ${hint}`;
    super("conflict", message);
    this.turn = turn;
  }
}

/** The pause before what failed is tried again, where nobody says how long it should be. */
const RETRY_MS = 500;

/** Instructions come as messages of this name (P6.7). */
const STEER = "steer";

export class AgentSession implements AsyncDisposable {
  readonly #link: Link;
  readonly #options: AgentOptions;
  readonly #turns = new Map<string, AgentTurn>();
  #position: string | undefined;
  #isReplaying = true;
  #isConnected = false;
  #isClosed = false;
  #losses = 0;
  #waiters: { done: () => void; fail: (error: SessileError) => void }[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    const { link = overSocket, names = options.onInput ? ["message"] : [] } = options;
    const owner: Owner = {
      position: () => this.#position,
      take: (frames) => this.#take(frames),
      changed: (status) => this.#changed(status),
      failed: (error) => options.onError?.(error),
    };
    const all = { ...options, rewind: 0, names: [...names, STEER] };
    this.#link = link(all, owner);
    this.#link.start();
  }

  /** The connection to the session, for frames that have no method here. */
  get link(): Link {
    return this.#link;
  }

  /** Begins to answer. It resolves when the turn is this process's to lead. */
  async startTurn({ taken = "refuse", ...start }: StartOptions = {}): Promise<AgentTurn> {
    const losses = this.#losses;
    const frame = { type: "turn.start" as const, ...start, id: start.id ?? crypto.randomUUID() };
    const { turn, duplicate = false } = await this.#link.request(frame);
    // Sent twice, since the connection went in between: then the turn is of this very call.
    const isOurs = turn.id === frame.id && (start.id === undefined || losses !== this.#losses);
    if (!duplicate || (isOurs && turn.attempt === 1)) return this.#hold(turn, false);
    const isFinal = turn.endedAt !== undefined;
    if (taken === "refuse" || isFinal) throw new TakenError(turn);
    return this.adopt(turn.id, { keep: taken === "keep" });
  }

  /** Takes over a turn that another process of this client led, or one that waits (P6.8). */
  async adopt(id: string, options: { keep?: boolean; leaseMs?: number } = {}): Promise<AgentTurn> {
    const frame = { type: "turn.adopt" as const, turn: id, ...options, id: crypto.randomUUID() };
    const { turn } = await this.#link.request(frame);
    const held = this.#hold(turn, options.keep === true);
    for (const steer of await this.#steers(turn)) held.takeSteer(steer);
    return held;
  }

  /**
   * Starts a turn, does the work, and ends the turn whatever becomes of it: `complete` when the
   * work returns, `failed` when it throws, which is then thrown on, and `cancelled` if somebody
   * asked for that, which is not an error.
   */
  async answer(options: StartOptions, work: (turn: AgentTurn) => unknown): Promise<Turn> {
    const turn = await this.startTurn(options);
    try {
      await work(turn);
    } catch (error) {
      await turn.end({ status: "failed", error });
      if (!turn.isCancelled) throw error;
    }
    return turn.end();
  }

  /** A page of the history, the newest first (P3.9). */
  messages(query: { before?: string; after?: string; limit?: number } = {}): Promise<Page> {
    const entries = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return this.#read(`messages?${new URLSearchParams(entries)}`);
  }

  /** One message by its serial. */
  async message(serial: string): Promise<Message> {
    const { message } = await this.#read<{ message: Message }>(`messages/${serial}`);
    return message;
  }

  /** The turns that are open, the oldest first; those `queued` wait for an agent. */
  async openTurns(): Promise<Turn[]> {
    const { turns } = await this.#read<{ turns: Turn[] }>("turns?status=open");
    return turns;
  }

  /** Leaves the session. Turns that are open stay so until their leases end: end them first. */
  close(): void {
    this.#isClosed = true;
    this.#link.stop();
    const error = new SessileError("session-closed", "unable to go on; the session was closed");
    for (const turn of [...this.#turns.values()]) turn.lose(error);
    this.#wake(error);
  }

  /** Ends the turns that are open, as `await using` of each would, then leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const turn of [...this.#turns.values()]) await turn[Symbol.asyncDispose]();
    this.close();
  }

  #hold(turn: Turn, isKept: boolean): AgentTurn {
    const host: Host = {
      ask: (frame) => this.#ask(frame),
      once: (frame) => this.#link.request(frame, { once: true }),
      send: (frame) => void this.#link.send(frame),
      connected: () => this.#connected(),
      message: (serial) => this.message(serial),
      turn: (id) => this.#turn(id),
      release: (released) => {
        if (this.#turns.get(released.id) === released) this.#turns.delete(released.id);
      },
    };
    const held = new AgentTurn(host, turn, isKept);
    this.#turns.set(turn.id, held);
    return held;
  }

  /** Sends a frame until it is answered; one that came too fast is sent again later (P14). */
  async #ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>> {
    for (;;) {
      try {
        return await this.#link.request(frame);
      } catch (error) {
        if (!(error instanceof SessileError) || error.code !== "rate-limited") throw error;
        await sleep(error.info?.retryAfterMs ?? RETRY_MS);
      }
    }
  }

  #connected(): Promise<void> {
    if (this.#isConnected) return Promise.resolve();
    return new Promise((done, fail) => this.#waiters.push({ done, fail }));
  }

  #wake(error?: SessileError): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { done, fail } of waiters) error ? fail(error) : done();
  }

  #changed(status: ConnectionStatus): void {
    if (status.state === "waiting") {
      this.#isConnected = false;
      this.#losses += 1;
    } else if (status.state === "closed") {
      this.#isClosed = true;
      const error = status.error ?? new SessileError("session-closed", "unable to go on");
      for (const turn of [...this.#turns.values()]) turn.lose(error);
      this.#wake(error);
    }
    this.#options.onStatus?.(status);
  }

  #take(frames: readonly ServerFrame[]): void {
    for (const frame of frames) {
      if (frame.type === "attached") this.#attach(frame);
      else if (frame.type === "caught-up") {
        this.#isReplaying = false;
        this.#position = frame.serial || this.#position;
      } else this.#tell(frame);
      const place = placeOf(frame);
      if (!this.#isReplaying && place > (this.#position ?? "")) this.#position = place;
    }
  }

  #attach(frame: AttachedFrame): void {
    this.#isReplaying = true;
    this.#isConnected = true;
    for (const turn of frame.turns ?? []) this.#see(turn);
    // A turn that is not among the open ones has ended meanwhile; its heartbeat would tell, too.
    for (const turn of [...this.#turns.values()]) {
      const isOpen = !frame.turns || frame.turns.some(({ id }) => id === turn.id);
      if (!isOpen || !frame.resumed) void this.#catchUp(turn);
    }
    this.#wake();
  }

  #tell(frame: ServerFrame): void {
    if ("turn" in frame) this.#see(frame.turn);
    if (frame.type !== "message.create" && frame.type !== "message.update") return;
    const { message } = frame;
    const turn = this.#turns.get(message.turn ?? "");
    if (turn && isWaiting(message)) turn.takeSteer(message);
    const isInput = message.role === "user" && message.turn === undefined;
    if (isInput && frame.type === "message.create") this.#options.onInput?.(message);
  }

  #see(turn: Turn): void {
    this.#turns.get(turn.id)?.take(turn);
    if (turn.status === "queued") this.#options.onQueued?.(turn);
  }

  async #turn(id: string): Promise<Turn> {
    const { turn } = await this.#read<{ turn: Turn }>(`turns/${id}`);
    return turn;
  }

  /** Reads until there is an answer, or the session is left. */
  async #read<T>(path: string): Promise<T> {
    for (;;) {
      try {
        return await this.#link.read<T>(path);
      } catch (error) {
        const isAway = error instanceof SessileError && error.code === "unreachable";
        if (!isAway || this.#isClosed) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** What a turn missed while there was no connection, or before it was led from here. */
  async #catchUp(held: AgentTurn): Promise<void> {
    try {
      for (const steer of await this.#steers(held.info)) held.takeSteer(steer);
      held.take(await this.#turn(held.id));
    } catch (error) {
      if (error instanceof SessileError) this.#options.onError?.(error);
    }
  }

  /** The instructions that wait for a turn, from the history since it began. */
  async #steers(turn: Turn): Promise<Message[]> {
    const found: Message[] = [];
    for (let before: string | undefined; ; ) {
      const { messages, next } = await this.messages({ ...(before && { before }), limit: 100 });
      found.unshift(...messages.filter((one) => one.turn === turn.id && isWaiting(one)).reverse());
      const oldest = messages.at(-1);
      if (!next || !oldest || oldest.createdAt < turn.createdAt) return found;
      before = next;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function isWaiting(message: Message): boolean {
  return message.name === STEER && message.headers?.steer === "waiting";
}

/** Joins a session as an agent. It connects by itself. */
export function createAgentSession(options: AgentOptions): AgentSession {
  return new AgentSession(options);
}
