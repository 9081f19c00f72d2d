// An agent's session: the connection, the turns that it leads, and the inputs that it hears.

import type { ConnectionOptions, ConnectionStatus, Owner } from "../connection/types.ts";
import {
  AGAIN,
  type AttachedFrame,
  type ClientFrame,
  type Message,
  MORE,
  placeOf,
  type ResultOf,
  type ServerFrame,
  SessileError,
  STEER,
  type StartTurnFrame,
  TOOL_APPROVAL,
  TOOL_OUTPUT,
  type Turn,
} from "../protocol/index.ts";
import { Crowd } from "./audience.ts";
import { newId } from "./ids.ts";
import type { Wire } from "./link.ts";
import { News } from "./news.ts";
import { overSocket } from "./over-socket.ts";
import { readTurns } from "./read.ts";
import { AgentTurn, type Host, isLoss } from "./turn.ts";

/** Makes the link to the session: a WebSocket, unless another is given. */
export type LinkTo = (options: ConnectionOptions, owner: Owner) => Wire;

export interface AgentOptions extends Omit<ConnectionOptions, "rewind" | "rollup"> {
  /** `overFetch` where there are no WebSockets, as in Node 20. */
  link?: LinkTo;
  /**
   * Called once with each new message of a user outside any turn, and with the argument for
   * `startTurn` or `answer`. A message named `regenerate` asks for another answer to its parent;
   * `tool-output` and `tool-approval` are outcomes of calls that the page had to make or allow.
   * Messages sent while the connection was lost are new, those from before the first connection are
   * not.
   */
  onInput?: (message: Message, start: StartOptions) => void;
  /**
   * Called with each turn that waits for an agent, and with the argument for `startTurn` or
   * `answer`: an input that had to wait, or a turn that its agent left, as one whose askings are
   * settled (P8.4). It is not called while a person leads the session (P8.8).
   */
  onQueued?: (turn: Turn, start: StartOptions) => void;
  /** Called when the connection opens, breaks, or is given up. */
  onStatus?: (status: ConnectionStatus) => void;
  /** Called with errors outside any call. */
  onError?: (error: SessileError) => void;
}

export interface StartOptions extends Omit<StartTurnFrame, "type"> {
  /**
   * The policy if another process of this client answers the input already: `refuse` throws a
   * `TakenError`, `adopt` takes an open turn over in place of its output, and `keep` continues
   * after its output.
   */
  taken?: "refuse" | "adopt" | "keep";
}

/** The input is or was answered already; `turn` is that answer. */
export class TakenError extends SessileError {
  readonly turn: Turn;

  constructor(turn: Turn) {
    super("conflict", `turn ${turn.id} is ${turn.status}: adopt or leave it`);
    this.turn = turn;
  }
}

/** The names of messages that an agent follows if it hears inputs. */
const INPUTS = ["message", AGAIN, TOOL_OUTPUT, TOOL_APPROVAL];
/** The messages to begin with when a log could not be resumed: new ones are among them (P3.3). */
const REWIND_MOST = 1000;

export class AgentSession implements AsyncDisposable {
  /** The connection to the session, for frames without a method here. */
  readonly link: Wire;
  readonly #options: AgentOptions;
  readonly #turns = new Map<string, AgentTurn>();
  /** Turns that wait for an agent. */
  readonly #queued = new Map<string, Turn>();
  /** Whether a person leads: then no waiting turn can be taken (P8.8). */
  #isLed = false;
  #position: string | undefined;
  #isReplaying = true;
  #isRewound = true;
  readonly #news = new News();
  readonly #crowd: Crowd;
  /** Waiting instructions of all turns, since any turn may be adopted. */
  readonly #steers = new Map<string, Message>();
  #losses = 0;
  #isAttached = false;
  /** Callers that wait for a connection. */
  #waiting: (() => void)[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    const { link = overSocket, names = options.onInput ? INPUTS : [] } = options;
    this.link = link(
      { ...options, names: [...names, STEER] },
      {
        position: () => this.#position,
        rewind: () => (this.#news.hasBegun ? REWIND_MOST : undefined),
        take: (frames) => this.#take(frames),
        changed: (status) => this.#changed(status),
        lost: () => {
          this.#losses += 1;
        },
        failed: (error) => options.onError?.(error),
      },
    );
    this.#crowd = new Crowd(this);
    this.link.start();
  }

  /** Begins an answer. Resolves once this process leads the turn. */
  async startTurn({ taken = "refuse", ...start }: StartOptions = {}): Promise<AgentTurn> {
    try {
      return this.#hold(await this.#lead(start));
    } catch (error) {
      const isTaken = error instanceof TakenError && !error.turn.endedAt;
      if (!isTaken || taken === "refuse") throw error;
      return this.adopt(error.turn.id, { keep: taken === "keep" });
    }
  }

  /** Takes over a turn that another process of this client led, or a waiting one (P6.8). */
  async adopt(
    turn: string,
    options: { keep?: boolean; leaseMs?: number } = {},
  ): Promise<AgentTurn> {
    const id = newId();
    const result = await this.link.request({ type: "turn.adopt", turn, ...options, id });
    return this.#hold(result.turn, options.keep);
  }

  /**
   * Starts a turn, does the work, and ends the turn in any case: `complete` when the work returns,
   * `failed` when it throws (the error is rethrown), and `cancelled` after a cancel, which is not
   * an error.
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

  /** Leaves the session. Open turns stay so until their leases end: end them first. */
  close(): void {
    this.#leave(new SessileError("session-closed", "the session was closed"));
    this.link.stop();
  }

  /** Ends the open turns, as `await using` of each would, then leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const turn of this.#turns.values()) await turn[Symbol.asyncDispose]();
    this.close();
  }

  /** Starts a turn, or takes the one that waits; throws if another process has it. */
  async #lead(start: Omit<StartTurnFrame, "type">): Promise<Turn> {
    const losses = this.#losses;
    const id = start.id ?? newId();
    const { turn, duplicate } = await this.#ask({ type: "turn.start", ...start, id });
    if (!duplicate) return turn;
    // Resent because the connection broke in between?
    const isResent = turn.id === id && (!start.id || losses < this.#losses);
    if (!isResent || (turn.endedAt && turn.attempt > 1)) throw new TakenError(turn);
    if (turn.attempt === 1) return turn;
    // Several processes wait for a turn that was queued again. Whichever took it, one leads now.
    const adopt = { type: "turn.adopt", turn: id, keep: true, id: newId() } as const;
    return (await this.link.request(adopt)).turn;
  }

  #hold(turn: Turn, isKept = false): AgentTurn {
    const { id, attempt, leaseMs } = turn;
    /** Sends a frame with the turn's attempt, and takes the turn from the answer. */
    const drive = async <Result>(send: (lead: { attempt: number }) => Promise<Result>) => {
      for (;;) {
        if (held.returning) await held.returning;
        const lead = { attempt: held.attempt };
        try {
          const result = await send(lead);
          const told = (result as { turn?: Turn }).turn;
          if (told) held.info = told;
          return result;
        } catch (error) {
          // The frame may have crossed with the news that the turn is queued.
          const isCrossed = held.returning || lead.attempt !== held.attempt;
          if (!isLoss(error)) throw error;
          if (isCrossed) continue;
          held.lose(error);
          throw error;
        }
      }
    };
    const once: Host["once"] = (frame) => {
      const send = (lead = {}) => this.link.request({ ...frame, ...lead }, { once: true });
      // The state is no turn's: that it may not be changed says nothing of who leads.
      return frame.type === "state" ? send() : drive(send);
    };
    const { link } = this;
    const host: Host = {
      attempt,
      link,
      crowd: this.#crowd,
      // The turns may be others on the next connection.
      get limits() {
        return link.limits;
      },
      ask: (frame) => drive((lead) => this.#ask({ ...frame, ...lead })),
      once,
      send: (frame) => void once(frame as never).catch(() => {}),
      connected: () => this.#connected(),
      takeBack: () => this.#lead({ id, ...(leaseMs && { leaseMs }) }),
      offer: () => {
        const queued = this.#queued.get(id);
        if (queued) this.#see(queued);
      },
      release: () => this.#turns.get(id) === held && this.#turns.delete(id),
    };
    const held = new AgentTurn(host, turn, isKept);
    this.#turns.set(id, held);
    for (const steer of this.#steers.values()) if (turnOf(steer) === id) held.takeSteer(steer);
    // The turn may be over already, as one cancelled before it began (P6.5).
    held.take(turn);
    return held;
  }

  /** Sends a frame until it is answered; a rate-limited one is resent later (P14). */
  async #ask<F extends ClientFrame>(frame: F): Promise<ResultOf<F>> {
    for (;;) {
      try {
        return await this.link.request(frame);
      } catch (error) {
        const { code, info } = error as SessileError;
        if (code !== "rate-limited") throw error;
        await new Promise((done) => setTimeout(done, info?.retryAfterMs));
      }
    }
  }

  #leave(error: SessileError): void {
    for (const turn of this.#turns.values()) turn.lose(error);
    this.#letGo();
  }

  /** Resolves with a connection, or once there will be none. */
  #connected(): Promise<void> {
    const isOver = /idle|closed/.test(this.link.status.state);
    return new Promise((done) => {
      if (this.#isAttached || isOver) done();
      else this.#waiting.push(done);
    });
  }

  #letGo(): void {
    for (const done of this.#waiting.splice(0)) done();
  }

  #changed(status: ConnectionStatus): void {
    const { state, error } = status;
    if (state !== "connected") this.#isAttached = false;
    if (state === "waiting") this.#losses += 1;
    if (state === "closed" && error) this.#leave(error);
    this.#options.onStatus?.(status);
  }

  #take(frames: readonly ServerFrame[]): void {
    for (const frame of frames) {
      const place = placeOf(frame);
      this.#crowd.take(frame);
      if (frame.type === "attached") this.#attach(frame);
      else if (frame.type === "caught-up") {
        this.#isReplaying = false;
        this.#news.caughtUp();
        this.#position = frame.serial || undefined;
      } else if ("turn" in frame) this.#see(frame.turn);
      else if ("approval" in frame || "call" in frame) {
        const asked = "call" in frame ? frame.call : frame.approval;
        this.#turns.get(asked.turn ?? "")?.settle(asked);
      } else if ("lead" in frame) {
        // On a return the session tells again of the turns that wait (P8.8).
        this.#isLed = frame.type === "lead.take";
      } else if (frame.type === "message.create" || frame.type === "message.update") {
        this.#hear(frame.message, frame.type === "message.create");
      }
      if (!this.#isReplaying && place > (this.#position ?? "")) this.#position = place;
    }
  }

  #attach({ turns, resumed, lead }: AttachedFrame): void {
    this.#isReplaying = true;
    this.#isRewound = !resumed;
    this.#isAttached = true;
    this.#isLed = Boolean(lead);
    this.#queued.clear();
    const { onQueued, onError } = this.#options;
    const see = (open: readonly Turn[]) => {
      for (const turn of open) this.#see(turn);
    };
    if (turns) see(turns);
    else if (onQueued) readTurns(this).then(see, onError);
    for (const held of this.#turns.values()) held.attached(resumed);
    this.#letGo();
  }

  #hear(message: Message, isNew: boolean): void {
    const { name, role, headers, serial } = message;
    const turn = turnOf(message);
    const held = this.#steers.get(serial);
    if (held || name === STEER || turn !== (message.turn ?? "")) {
      this.#steers.delete(serial);
      if (headers?.steer !== "waiting") return;
      // Without data the message is unchanged (P4.4).
      const steer = "data" in message || !held ? message : { ...message, data: held.data };
      this.#steers.set(serial, steer);
      this.#turns.get(turn)?.takeSteer(steer);
    }
    const way = this.#isReplaying ? (this.#isRewound ? "rewound" : "resumed") : "live";
    const isNews = isNew && this.#news.take(message, way);
    if (!isNews || role !== "user" || turn || headers?.[MORE] === "true") return;
    const again = name === AGAIN && {
      input: message.parent ?? serial,
      again: true,
      id: `again-${serial}`,
    };
    this.#options.onInput?.(message, again || { input: serial });
  }

  #see(turn: Turn): void {
    const { id, input, status } = turn;
    this.#turns.get(id)?.take(turn);
    this.#queued.delete(id);
    if (status !== "queued") return;
    this.#queued.set(id, turn);
    // One that is still held here is being taken back.
    if (this.#isLed || this.#turns.has(id)) return;
    this.#options.onQueued?.(turn, { id, ...(input && { input }) });
  }
}

/** Joins a session as an agent. It connects by itself. */
export function createAgentSession(options: AgentOptions): AgentSession {
  return new AgentSession(options);
}

/** The turn of a message, or the one that it instructs: an input may (P10.3). */
function turnOf({ turn, headers }: Message): string {
  return turn ?? headers?.["steer-turn"] ?? "";
}
