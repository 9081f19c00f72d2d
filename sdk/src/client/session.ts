// One session in a page: messages, turns and the connection as values that never change in place,
// and the page's actions. Everything else is a feature (`feature.ts`), or only subscribes.

import type { Connection } from "../connection/connection.ts";
import { addressOf, readJson } from "../connection/http.ts";
import { SocketConnection } from "../connection/over-socket.ts";
import { TokenSource } from "../connection/token.ts";
import type { ConnectionOptions, ConnectionStatus } from "../connection/types.ts";
import { Log } from "../log/log.ts";
import {
  type AttachedFrame,
  type CancelTarget,
  type Message,
  type MessageAnswer,
  type MessageFrame,
  type Placed,
  type ResultOf,
  type ServerFrame,
  SessileError,
  type Snapshot,
  type SteerFrame,
  type Turn,
} from "../protocol/index.ts";
import { Emitter, type Listener } from "./emitter.ts";
import { type Begin, type Engine, type Feature, readList } from "./feature.ts";
import { newId } from "./ids.ts";
import { Sending, type Sent, type ShownMessage } from "./sending.ts";
import type { SendOptions, SessionEvents, SessionOptions, SessionSnapshot } from "./types.ts";

/** The pause before a message with a gap is read again after a failed read. */
const HEAL_MS = 1_000;
const PENDING = 200;
/** The number of messages that a log begins with, by default and at most (P3.3). */
const REWIND = 50;
const REWIND_MOST = 1000;

type List = readonly ShownMessage[];

/** Creates a session; nothing happens until `connect`. */
export function createSession(options: SessionOptions): Session {
  return new Session(options);
}

export class Session {
  /** The session's id. */
  readonly id: string;
  /** The connection below, for everything without a method here. */
  readonly link: Connection;
  readonly #sending: Sending;
  readonly #events = new Emitter<SessionEvents & { change: undefined }>();
  readonly #features = new Map<object, Feature>();
  readonly #healing = new Set<string>();
  #log: Log;
  /** A log that is being read anew, until it has caught up. */
  #next: Log | undefined;
  #snapshot: SessionSnapshot | undefined;
  /** The messages of the log, those still to be sent, and both: the same list until one differs. */
  #shown: readonly [List, List, List] = [[], [], []];
  readonly #engine: Engine;

  constructor(options: SessionOptions) {
    this.id = options.session;
    const { initial, outbox, token, maxPending = PENDING } = options;
    this.#log = new Log(initial);
    const link = new SocketConnection(options, {
      position: () => (this.#next ?? this.#log).position,
      rewind: () => this.#rewind(),
      take: (frames) => this.#take(frames),
      changed: (status) => {
        if (status.state === "closed" && status.error) this.#sending.failAll(status.error);
        for (const feature of this.#features.values()) feature.status?.(status);
        this.#changed();
        this.#events.emit("connection", status);
      },
      opening: (token) => this.#sending.begin(outbox?.clientOf?.(token) ?? ""),
      failed: (error) => this.#events.emit("error", error),
    });
    this.link = link;
    const changed = () => this.#changed();
    const log = () => this.#log;
    const sending = new Sending({ link, outbox, most: maxPending, changed, log });
    this.#sending = sending;
    this.#engine = {
      options,
      link,
      changed,
      send: (data, more) => this.send(data, more),
      get log() {
        return log();
      },
      get pending() {
        return sending.shown;
      },
    };
    sending.begin(options.client ?? outbox?.clientOf?.(String(token)) ?? "");
  }

  /** The feature of this session that `begin` makes, begun on the first call. */
  feature<P extends Feature>(begin: Begin<P>): P {
    let feature = this.#features.get(begin) as P | undefined;
    if (!feature) {
      feature = begin(this.#engine);
      this.#features.set(begin, feature);
      this.#snapshot = undefined;
    }
    return feature;
  }

  /** The id of this client; `""` until the session has told it. */
  get client(): string {
    return this.link.attached?.client ?? this.#sending.client;
  }

  /** The messages in the log's order, without tombstones, then those still to be sent. */
  get messages(): readonly ShownMessage[] {
    return this.getSnapshot().messages;
  }

  /** All messages, tombstones among them, without those to be sent. */
  get log(): readonly Message[] {
    return this.#log.messages;
  }

  get turns(): readonly Turn[] {
    return this.#log.turnList;
  }

  get connection(): ConnectionStatus {
    return this.link.status;
  }

  /** Whether history holds more (`historyOf`). */
  get hasOlder(): boolean {
    return this.#log.hasOlder;
  }

  /** The whole state. The same object until something changes. */
  readonly getSnapshot = (): SessionSnapshot => {
    if (!this.#snapshot) {
      const { shown } = this.#log;
      const unsent = this.#sending.shown;
      if (this.#shown[0] !== shown || this.#shown[1] !== unsent) {
        this.#shown = [shown, unsent, unsent.length > 0 ? [...shown, ...unsent] : shown];
      }
      this.#snapshot = {
        messages: this.#shown[2],
        turns: this.turns,
        connection: this.connection,
        hasOlder: this.hasOlder,
        features: new Map([...this.#features.values()].map((feature) => [feature, feature.value])),
      };
    }
    return this.#snapshot;
  };

  /** Calls `listener` after each change, once per WebSocket message; the result unsubscribes. */
  readonly subscribe = (listener: () => void): (() => void) => this.#events.on("change", listener);

  /** Calls `listener` for each event; the result unsubscribes. */
  on<K extends keyof SessionEvents>(name: K, listener: Listener<SessionEvents[K]>): () => void {
    return this.#events.on<keyof SessionEvents>(name, listener as Listener<unknown>);
  }

  /**
   * Connects and stays connected. Resolves when the page is up to date; rejects if the SDK gives
   * up, which `connection` and its event report as well.
   */
  connect(): Promise<void> {
    this.link.start();
    const connected = new Promise<void>((done, fail) => {
      const look = ({ state, error }: ConnectionStatus) => {
        if (state === "connected") done();
        else if (state === "closed") fail(error);
        else if (state === "idle") fail(new SessileError("session-closed", "it was closed"));
        else return;
        end();
      };
      const end = this.on("connection", look);
      look(this.connection);
    });
    // A page that does not wait sees `connection`.
    connected.catch(() => {});
    return connected;
  }

  /** Disconnects. The messages stay; nothing is cancelled (P6.5). `connect` reconnects. */
  close(): void {
    this.link.stop();
  }

  /**
   * Publishes a message: it is shown at once as `pending`, and sent until it is acknowledged.
   * Resolves when it is in the log.
   */
  send(data: unknown, { interrupt, ...fields }: SendOptions = {}): Sent {
    return this.#sending.add({ ...fields, id: fields.id ?? newId(), data }, interrupt);
  }

  /** Cancels every active turn, or one, and publishes, in one step (P6.6). */
  interrupt(data: unknown, options: SendOptions = {}): Sent {
    return this.send(data, { interrupt: true, ...options });
  }

  /** Sends a failed message once more. */
  retry(id: string): void {
    this.#sending.retry(id);
  }

  /** Takes back a message that is not in the log; returns whether it was still to be sent. */
  discard(id: string): boolean {
    return this.#sending.discard(id);
  }

  /** Replaces the data or the headers of a message (P4.3). */
  update(
    serial: string,
    fields: { data?: unknown; headers?: Record<string, string>; ifVersion?: string },
  ): Promise<Placed> {
    return this.link.request({ type: "update", id: newId(), serial, ...fields });
  }

  /** Deletes a message; a tombstone stays (P4.3). */
  delete(serial: string, options: { ifVersion?: string } = {}): Promise<Placed> {
    return this.link.request({ type: "delete", id: newId(), serial, ...options });
  }

  /** Asks for the end of a turn, of all that answer an input, or of all (P6.5). */
  async cancel(target: string | CancelTarget, reason?: string): Promise<readonly Turn[]> {
    const meant = typeof target === "string" ? { turn: target } : target;
    const frame = { type: "cancel", ...meant, ...(reason && { reason }) } as const;
    const { turns, turnIds } = await this.link.request({ ...frame, id: newId() });
    // The turns' changes arrived before the answer (P3.7).
    return turns ?? turnIds?.flatMap((id) => this.#log.turns.get(id) ?? []) ?? [];
  }

  /** Instructs a running turn; its message's header `steer` tells whether it was taken (P6.7). */
  steer(turn: string, data: unknown): Promise<ResultOf<SteerFrame>> {
    return this.link.request({ type: "steer", id: newId(), turn, data });
  }

  /** Relays data to connected clients, if this client is connected itself (P4.5). */
  signal(name: string, data?: unknown, to?: string): boolean {
    return this.link.send({ type: "signal", name, data, ...(to && { to }) });
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#events.emit("change", undefined);
  }

  #take(frames: readonly ServerFrame[]): void {
    for (const frame of frames) this.#takeOne(frame);
    this.#heal();
    this.#changed();
    for (const frame of frames) {
      this.#events.emit("frame", frame);
      const [kind] = frame.type.split(".");
      this.#events.emit(kind as "message", frame as MessageFrame);
    }
  }

  #takeOne(frame: ServerFrame): void {
    if (frame.type === "attached" && !frame.resumed) this.#next = new Log();
    const log = this.#next ?? this.#log;
    log.take(frame);
    if (frame.type === "attached") this.#attach(frame, log);
    for (const feature of this.#features.values()) feature.take?.(frame, log);
    if (frame.type === "caught-up" && this.#next) this.#swap(this.#next);
    // In a log that is not shown yet it would be invisible.
    else if (frame.type === "message.create" && !this.#next) {
      this.#sending.arrived([frame.message]);
    }
  }

  #attach(frame: AttachedFrame, log: Log): void {
    if (!frame.turns) {
      readList<{ turns: Turn[] }>(this.#engine, "turns", ({ turns }) => log.keep([], turns));
    }
    for (const feature of this.#features.values()) feature.attached?.(frame);
    if (!this.#next) this.#sending.begin(frame.client);
  }

  /**
   * The number of messages to begin with for a log that could not be resumed: as many as were
   * shown, since everything later is new, even for a page that wanted no earlier messages.
   */
  #rewind(): number | undefined {
    if (!this.link.attached) return undefined;
    const { messages, hasOlder } = this.#log;
    // Without older ones, the whole log is held.
    const shown = hasOlder ? messages.length : REWIND_MOST;
    return Math.min(Math.max(shown, REWIND), REWIND_MOST);
  }

  /** Keeps the old log on show until the new one is complete. */
  async #swap(next: Log): Promise<void> {
    const shown = this.#log;
    const { attached } = this.link;
    if (shown.messages.length > next.messages.length && next.hasOlder) {
      for (const feature of this.#features.values()) await feature.complete?.(next, shown);
    }
    if (this.#next !== next) return;
    this.#next = undefined;
    this.#log = next;
    this.#sending.arrived(next.messages);
    this.#sending.begin(this.client);
    this.#changed();
    if (attached && shown.position !== undefined) this.#events.emit("reset", attached);
  }

  /** Rereads messages whose text has a gap, each once at a time (P3.10). */
  #heal(): void {
    const log = this.#next ?? this.#log;
    for (const serial of log.gaps) {
      if (this.#healing.has(serial)) continue;
      this.#healing.add(serial);
      this.link
        .read<MessageAnswer>(`messages/${serial}`)
        .then(({ message }) => log.mend(message))
        .catch(({ code }: SessileError) => {
          if (code === "not-found") log.gaps.delete(serial);
          return new Promise((done) => setTimeout(done, HEAL_MS));
        })
        .then(() => {
          this.#healing.delete(serial);
          this.#heal();
          this.#changed();
        });
    }
  }
}

/** Reads a session over HTTP, for `initial` (P11.1). */
export async function fetchSnapshot(
  options: ConnectionOptions & { rewind?: number },
): Promise<Snapshot> {
  const query = options.rewind === undefined ? "" : `?rewind=${options.rewind}`;
  const get = options.fetch ?? fetch.bind(globalThis);
  return readJson<Snapshot>(`${addressOf(options)}${query}`, new TokenSource(options.token), get);
}
