// One session as a page sees it: messages, turns, presence and the connection as values that never
// change in place, and what can be done. Everything else only subscribes.

import type { Connection } from "../connection/connection.ts";
import { addressOf, readJson } from "../connection/http.ts";
import { SocketConnection } from "../connection/over-socket.ts";
import { subjectOf, TokenSource } from "../connection/token.ts";
import type { ConnectionOptions, ConnectionStatus } from "../connection/types.ts";
import {
  type AttachedFrame,
  type CancelTarget,
  type Message,
  type MessageAnswer,
  type MessageFrame,
  type Page,
  type Placed,
  type ResultOf,
  type ServerFrame,
  SessileError,
  type Snapshot,
  type SteerFrame,
  type Turn,
} from "../protocol/index.ts";
import { Emitter, type Listener } from "./emitter.ts";
import { Log } from "./log.ts";
import { foldPresence, NOBODY, type Presence, presenceOf } from "./presence.ts";
import { Sending, type Sent, type ShownMessage } from "./sending.ts";
import { Silence } from "./silence.ts";
import { type Branches, EDITS, type Tree } from "./tree.ts";
import type { SendOptions, SessionEvents, SessionOptions, SessionSnapshot } from "./types.ts";
import { View } from "./view.ts";

/** How long a message with a gap is left alone when it could not be read. */
const HEAL_MS = 1_000;
const PENDING = 200;
/** How many messages a log begins with, unless told, and at most (P3.3). */
const REWIND = 50;
const REWIND_MOST = 1000;

/** Creates a session; nothing happens until `connect`. */
export function createSession(options: SessionOptions): Session {
  return new Session(options);
}

export class Session {
  readonly #options: SessionOptions;
  readonly #connection: SocketConnection;
  readonly #sending: Sending;
  readonly #events = new Emitter<SessionEvents & { change: undefined }>();
  /** The branch that was chosen at each place. */
  #selected: ReadonlyMap<string, string> = new Map();
  readonly #healing = new Set<string>();
  #log: Log;
  /** A log that is being read anew, until it is caught up. */
  #next: Log | undefined;
  readonly #silence = new Silence(() => this.#changed());
  #presence = NOBODY;
  #isPresent = false;
  #data: unknown;
  #loading: Promise<number> | undefined;
  readonly #view = new View();
  #snapshot: SessionSnapshot | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { initial, outbox, token, maxPending = PENDING } = options;
    this.#log = initial ? Log.from(initial) : new Log();
    if (initial) this.#presence = presenceOf(initial);
    this.#connection = new SocketConnection(options, {
      position: () => (this.#next ?? this.#log).position,
      rewind: () => this.#rewind(),
      take: (frames) => this.#take(frames),
      changed: (status) => {
        if (status.state === "closed" && status.error) this.#sending.failAll(status.error);
        if (status.state !== "connected") this.#silence.stop();
        else this.#silence.look(this.#log.turnList);
        this.#changed();
        this.#events.emit("connection", status);
      },
      crowd: () => this.#presence.count,
      opening: (token) => this.#sending.begin(subjectOf(token) ?? ""),
      failed: (error) => this.#events.emit("error", error),
    });
    const sending = {
      link: this.#connection,
      outbox,
      most: maxPending,
      changed: () => this.#changed(),
    };
    this.#sending = new Sending(sending);
    this.#sending.begin(subjectOf(token) ?? options.client ?? "");
  }

  /** The connection below, for what has no method here. */
  get link(): Connection {
    return this.#connection;
  }

  /** The session's id. */
  get id(): string {
    return this.#options.session;
  }

  /** Who this is; `""` until the session has said so. */
  get client(): string {
    return this.#connection.attached?.client ?? this.#sending.client;
  }

  get messages(): readonly ShownMessage[] {
    return this.getSnapshot().messages;
  }

  /** All messages of all branches, tombstones among them, without those to be sent. */
  get log(): readonly Message[] {
    return this.#log.messages;
  }

  get turns(): readonly Turn[] {
    return this.getSnapshot().turns;
  }

  /**
   * Whether nothing was heard of an active turn for a third of its lease (P6.8): it may be
   * thinking, or its agent may be lost, which the session says when the lease runs out.
   */
  isSilent(turn: string): boolean {
    return this.#silence.turns.has(turn);
  }

  get presence(): Presence {
    return this.#presence;
  }

  get connection(): ConnectionStatus {
    return this.#connection.status;
  }

  get hasOlder(): boolean {
    return this.#log.hasOlder;
  }

  /** Everything that is shown. The same object until something is different. */
  readonly getSnapshot = (): SessionSnapshot => {
    this.#snapshot ??= this.#shown();
    return this.#snapshot;
  };

  /** Calls `listener` after each change, once per WebSocket message; the result ends that. */
  readonly subscribe = (listener: () => void): (() => void) => this.#events.on("change", listener);

  /** Calls `listener` for each event; the result ends that. */
  on<K extends keyof SessionEvents>(name: K, listener: Listener<SessionEvents[K]>): () => void {
    return this.#events.on<keyof SessionEvents>(name, listener as Listener<unknown>);
  }

  /**
   * Connects and stays connected. Resolves when what is shown is what the session holds; rejects
   * if the SDK gives up, which `connection` and its event say as well.
   */
  connect(): Promise<void> {
    this.#connection.start();
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
    // Who does not wait sees `connection`.
    connected.catch(() => {});
    return connected;
  }

  /** Disconnects. What is shown stays; nothing is cancelled (P6.5). `connect` comes back. */
  close(): void {
    this.#connection.stop();
  }

  /**
   * Publishes a message: it is shown at once as `pending`, and sent until it is acknowledged.
   * Resolves when it is in the log.
   */
  send(data: unknown, { interrupt, ...fields }: SendOptions = {}): Sent {
    const parent = fields.parent ?? this.#seen().head;
    const id = fields.id ?? newId();
    return this.#sending.add({ ...fields, ...(parent && { parent }), id, data }, interrupt);
  }

  /** Cancels every active turn, or one, and publishes, in one step (P6.6). */
  interrupt(data: unknown, options: SendOptions = {}): Sent {
    return this.send(data, { interrupt: true, ...options });
  }

  /** Publishes another version of a message, beside it: a branch (P6.9). */
  edit(serial: string, data: unknown, options: SendOptions = {}): Sent {
    const tree = this.#seen();
    const parent = tree.before(serial);
    const choice = tree.choice(serial);
    // The newest is shown again.
    if (choice) this.#select(choice[0], "");
    const headers = { ...options.headers, [EDITS]: serial };
    return this.send(data, { ...options, ...(parent && { parent }), headers });
  }

  /** Sends a failed message once more. */
  retry(id: string): void {
    this.#sending.retry(id);
  }

  /** Takes back a message that is not in the log; says whether it was still to be sent. */
  discard(id: string): boolean {
    return this.#sending.discard(id);
  }

  /** Replaces the data or the headers of a message (P4.3). */
  update(
    serial: string,
    fields: { data?: unknown; headers?: Record<string, string>; ifVersion?: string },
  ): Promise<Placed> {
    return this.#connection.request({ type: "update", id: newId(), serial, ...fields });
  }

  /** Deletes a message; a tombstone stays (P4.3). */
  delete(serial: string, options: { ifVersion?: string } = {}): Promise<Placed> {
    return this.#connection.request({ type: "delete", id: newId(), serial, ...options });
  }

  /** Asks for the end of a turn, of all that answer an input, or of all (P6.5). */
  async cancel(target: string | CancelTarget, reason?: string): Promise<readonly Turn[]> {
    const meant = typeof target === "string" ? { turn: target } : target;
    const frame = { type: "cancel", ...meant, ...(reason && { reason }) } as const;
    const { turns, turnIds } = await this.#connection.request({ ...frame, id: newId() });
    // The changes to them came before the answer (P3.7).
    return turns ?? turnIds?.flatMap((id) => this.#log.turns.get(id) ?? []) ?? [];
  }

  /** Instructs a running turn; whether it was taken, its message's header `steer` says (P6.7). */
  steer(turn: string, data: unknown): Promise<ResultOf<SteerFrame>> {
    return this.#connection.request({ type: "steer", id: newId(), turn, data });
  }

  /** Passes something on to whoever is connected, if this client is now (P4.5). */
  signal(name: string, data?: unknown, to?: string): boolean {
    return this.#connection.send({ type: "signal", name, data, ...(to && { to }) });
  }

  /** Announces this connection, or changes what it tells; kept up over reconnects (P7.1). */
  async enter(data?: unknown): Promise<void> {
    this.#isPresent = true;
    this.#data = data;
    if (this.#connection.attached && this.connection.state !== "waiting") {
      await this.#connection.request({ type: "presence.set", data });
    }
  }

  /** Is present no longer. */
  leave(): void {
    this.#isPresent = false;
    this.#connection.send({ type: "presence.leave" });
  }

  /** Reads so many more messages back from history; resolves to how many there were. */
  loadOlder(count = 50): Promise<number> {
    this.#loading ??= this.#loadOlder(count).finally(() => {
      this.#loading = undefined;
      this.#changed();
    });
    this.#changed();
    return this.#loading;
  }

  /** The versions of a message, or of the turn that it belongs to, which may be named instead. */
  branches(id: string): Branches {
    return this.#seen().branches(id);
  }

  /** Shows a branch: one of the `options` that `branches` gives. */
  select(id: string): void {
    const choice = this.#seen().choice(id);
    if (choice) this.#select(...choice);
  }

  #select(group: string, key: string): void {
    this.#selected = new Map(this.#selected).set(group, key);
    this.#changed();
  }

  #seen(): Tree<ShownMessage> {
    return this.#view.see(this.#log, this.#sending.shown, this.#selected);
  }

  #shown(): SessionSnapshot {
    return {
      messages: this.#seen().messages,
      turns: this.#log.turnList,
      silent: this.#silence.turns,
      presence: this.#presence,
      connection: this.connection,
      hasOlder: this.hasOlder,
      isLoadingOlder: this.#loading !== undefined,
    };
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#events.emit("change", undefined);
  }

  #take(frames: readonly ServerFrame[]): void {
    for (const frame of frames) this.#takeOne(frame);
    this.#heal();
    if (this.connection.state === "connected") this.#silence.look(this.#log.turnList);
    this.#changed();
    for (const frame of frames) {
      this.#events.emit("frame", frame);
      const [kind] = frame.type.split(".");
      this.#events.emit(kind as "message", frame as MessageFrame);
    }
  }

  #takeOne(frame: ServerFrame): void {
    if (frame.type === "attached") this.#attach(frame);
    const log = this.#next ?? this.#log;
    log.take(frame);
    this.#silence.hear(turnOf(frame, log));
    if (frame.type === "caught-up" && this.#next) this.#swap(this.#next);
    else if (frame.type === "message.create") {
      // In a log that is not shown yet it would be nowhere to be seen.
      if (!this.#next) this.#sending.arrived(frame.message);
    } else if ("member" in frame) {
      this.#presence = foldPresence(this.#presence, frame);
      // One that was silent for too long was taken for gone (P7.2).
      const isOwn = frame.member.connection === this.#connection.attached?.connection;
      if (frame.type === "presence.leave" && isOwn) this.#announce();
    }
  }

  #attach(frame: AttachedFrame): void {
    if (!frame.resumed) this.#next = new Log();
    this.#presence = presenceOf(frame);
    if (!frame.presence) {
      this.#readList<AttachedFrame>("presence", (list) => {
        this.#presence = presenceOf(list);
      });
    }
    if (!frame.turns) {
      const log = this.#next ?? this.#log;
      this.#readList<{ turns: Turn[] }>("turns", ({ turns }) => log.addTurns(turns));
    }
    this.#announce();
    if (!this.#next) this.#sending.begin(frame.client);
  }

  /**
   * How much a log begins with that could not be resumed: whatever came since is new, and to be
   * shown, even by who wanted nothing of what was there before.
   */
  #rewind(): number | undefined {
    if (!this.#connection.attached) return undefined;
    // All that there was is held.
    if (!this.#log.hasOlder) return REWIND_MOST;
    return Math.max(this.#options.rewind ?? REWIND, REWIND);
  }

  #announce(): void {
    if (this.#isPresent) this.#connection.send({ type: "presence.set", data: this.#data });
  }

  /** What was shown stays until all of it, as far back, was read anew. */
  async #swap(next: Log): Promise<void> {
    const held = this.#log;
    const lacking = held.messages.length - next.messages.length;
    const { attached } = this.#connection;
    if (lacking > 0 && next.hasOlder) await this.#loadInto(next, lacking).catch(() => 0);
    if (this.#next !== next) return;
    this.#next = undefined;
    this.#log = next;
    this.#sending.begin(this.client);
    this.#changed();
    if (attached && held.position !== undefined) this.#events.emit("reset", attached);
  }

  async #loadOlder(count: number): Promise<number> {
    for (;;) {
      const log = this.#log;
      const found = await this.#loadInto(log, count);
      // Read anew meanwhile: what was found belongs to what is gone.
      if (log === this.#log) return found;
    }
  }

  #loadInto(log: Log, count: number): Promise<number> {
    const { names } = this.#options;
    const isWanted = names && (({ name }: Message) => names.includes(name));
    const read = (before: string | undefined, limit: number) =>
      this.#connection.read<Page>(`messages?limit=${limit}${before ? `&before=${before}` : ""}`);
    return log.loadOlder(count, read, isWanted);
  }

  /** Reads the messages again whose text has a gap, each once at a time (P3.10). */
  #heal(): void {
    const log = this.#next ?? this.#log;
    for (const serial of log.gaps) {
      if (this.#healing.has(serial)) continue;
      this.#healing.add(serial);
      this.#connection
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

  /** Lists that were too long for `attached` (P3.4). */
  #readList<T>(path: string, put: (list: T) => void): void {
    this.#connection
      .read<T>(path)
      .then(put, () => {})
      .then(() => this.#changed());
  }
}

/** The turn that a frame tells of. */
function turnOf(frame: ServerFrame, log: Log): string | undefined {
  if ("turn" in frame) return frame.turn.id;
  if ("message" in frame) return frame.message.turn;
  return frame.type === "message.append" ? log.get(frame.serial)?.turn : undefined;
}

/** Also where there is no `crypto.randomUUID`, as on pages without TLS. */
function newId(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(15))));
}

/** Reads a session over HTTP, for `initial` (P11.1). */
export async function fetchSnapshot(
  options: ConnectionOptions & { rewind?: number },
): Promise<Snapshot> {
  const query = options.rewind === undefined ? "" : `?rewind=${options.rewind}`;
  const get = options.fetch ?? fetch.bind(globalThis);
  return readJson<Snapshot>(`${addressOf(options)}${query}`, new TokenSource(options.token), get);
}
