// All that the page knows of a session: read once, then kept up to date by the tap and, slowly, by
// reading again.

import { placeOf, type ServerFrame, SessileError } from "sessile";
import { clientsOf, readDevices } from "./devices.ts";
import { bytesOf } from "./raw.ts";
import type { Reads } from "./reads.ts";
import {
  type Gap,
  indexOf,
  latest,
  NOTHING,
  type Record,
  withMessage,
  withPage,
} from "./record.ts";
import type { Approval, Devices, Diagnostics, Entry, EntryPage, Overview, Turn } from "./shapes.ts";
import { Tap } from "./tap.ts";

export interface Known {
  /** Where the first reading stands; later trouble is in `error` alone. */
  phase: "loading" | "ready" | "failed";
  error: SessileError | undefined;
  overview: Overview | undefined;
  diagnostics: Diagnostics | undefined;
  turns: ReadonlyMap<string, Turn>;
  hasOlderTurns: boolean;
  approvals: readonly Approval[];
  /** Of the session's clients, or of this page's own alone (P10.1). */
  devices: readonly Devices[] | undefined;
  record: Record;
  /** Whether a part of the record is being read. */
  isReading: boolean;
  /** When the session was last read. */
  readAt: number;
}

/** Entries of one page. */
const PAGE = 1000;
/** Messages that one step backwards goes, and pages of the log that it may take. */
const STEP = 200;
const STEP_PAGES = 5;
const TURNS = 200;
/** Between two readings: while the tap follows, while nothing does, and with news. */
const SLOW_MS = 30_000;
const BLIND_MS = 10_000;
const SOON_MS = 700;
const TICK_MS = 10_000;
const DIAGNOSTICS_MS = 4000;
const DEVICES_MS = 60_000;
/** Entries that are read again for messages that changed, at most. */
const AGAIN = 20;

interface News {
  readonly log: boolean;
  readonly turns: boolean;
  readonly approvals: boolean;
  readonly overview: boolean;
}

const NONE: News = { log: false, turns: false, approvals: false, overview: false };
const ALL: News = { log: true, turns: true, approvals: true, overview: true };

export class Watch {
  readonly reads: Reads;
  readonly tap: Tap;
  known: Known = {
    phase: "loading",
    error: undefined,
    overview: undefined,
    diagnostics: undefined,
    turns: new Map(),
    hasOlderTurns: false,
    approvals: [],
    devices: undefined,
    record: NOTHING,
    isReading: false,
    readAt: 0,
  };
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = 0;
  #ticks: ReturnType<typeof setInterval> | undefined;
  #isRunning = false;
  #isEnded = false;
  #failures = 0;
  #devicesAt = 0;
  #diagnosticsAt = 0;
  /** Where the turns before the oldest known one begin. */
  #olderTurns: string | undefined;
  /** The kinds of news that the tap told of, and that were not read yet. */
  #news: News = NONE;
  #isAttached = false;

  constructor(reads: Reads) {
    this.reads = reads;
    this.tap = new Tap(reads);
    this.tap.onFrames = (frames) => this.#hear(frames);
    this.tap.onChange = () => {
      // The cause, such as a deletion, is read at once.
      if (this.tap.status === "closed") this.#schedule(SOON_MS);
      this.#tell();
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): Known => this.known;

  /** The session's time, as far as the tap told it. */
  now(): number {
    return Date.now() + this.tap.aheadMs;
  }

  async start(): Promise<void> {
    // "3 min ago" grows old by itself.
    this.#ticks = setInterval(() => this.#tell(), TICK_MS);
    document.addEventListener("visibilitychange", this.#seen);
    await this.#run(() => this.#first());
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ticks);
    document.removeEventListener("visibilitychange", this.#seen);
    this.tap.close();
  }

  /** Reads everything again. */
  async refresh(): Promise<void> {
    this.#news = ALL;
    this.#diagnosticsAt = 0;
    this.#devicesAt = 0;
    await this.#run(() => (this.known.phase === "ready" ? this.#again() : this.#first()));
  }

  /** Reads a part of a gap: from its beginning, or up to its end. */
  async fill(gap: Gap, from: "beginning" | "end"): Promise<void> {
    if (this.known.isReading) return;
    await this.#run(async () => {
      const after = from === "end" ? await this.#anchor(gap.through) : gap.after;
      await this.#read(latest(after, gap.after), from === "end" ? gap.through : "");
    });
  }

  async olderTurns(): Promise<void> {
    const next = this.#olderTurns;
    if (next !== undefined) await this.#run(() => this.#readTurns(next));
  }

  #seen = (): void => {
    if (document.visibilityState === "visible") this.#schedule(0);
  };

  async #first(): Promise<void> {
    const [overview, diagnostics, page] = await Promise.all([
      this.#readOverview(),
      this.reads.get<Diagnostics>("how its object is", "/diagnostics"),
      this.#page(""),
      this.#readTurns(),
      this.#readApprovals(),
    ]);
    this.#set({ overview, diagnostics, record: withPage(NOTHING, "", page) });
    if (page.hasMore) {
      const anchor = await this.#anchor();
      await this.#read(latest(anchor, page.next ?? ""), "");
    }
    await this.#readDevices();
    this.#diagnosticsAt = Date.now();
    this.#set({ phase: "ready" });
    void this.tap.open();
  }

  async #again(): Promise<void> {
    const news = this.#news;
    this.#news = NONE;
    const isOff = this.tap.status !== "open";
    // Settings have no frame of their own.
    const isSlow = Date.now() - this.known.readAt >= BLIND_MS - SOON_MS;
    const jobs: Promise<unknown>[] = [];
    if (news.log || isOff) jobs.push(this.#readNews());
    if (news.turns || isOff) jobs.push(this.#readTurns());
    if (news.approvals || isOff) jobs.push(this.#readApprovals());
    if (news.overview || news.turns || isSlow) {
      jobs.push(this.#readOverview().then((overview) => this.#set({ overview })));
    }
    if (Date.now() - this.#diagnosticsAt >= DIAGNOSTICS_MS) {
      this.#diagnosticsAt = Date.now();
      const diagnostics = this.reads.get<Diagnostics>("how its object is", "/diagnostics");
      jobs.push(diagnostics.then((it) => this.#set({ diagnostics: it })));
    }
    if (Date.now() - this.#devicesAt >= DEVICES_MS) jobs.push(this.#readDevices());
    await Promise.all(jobs);
  }

  #readOverview(): Promise<Overview> {
    return this.reads.get<Overview>("the session", "?rewind=0");
  }

  async #readTurns(before?: string): Promise<void> {
    const query = new URLSearchParams({ status: "all", limit: String(TURNS) });
    if (before !== undefined) query.set("before", before);
    const page = await this.reads.get<{ turns: Turn[]; hasMore: boolean; next?: string }>(
      "its turns",
      `/turns?${query}`,
    );
    // The newest first, in both.
    const read = page.turns.map((turn) => [turn.id, turn] as const);
    const known = [...this.known.turns].filter(([id]) => !read.some(([other]) => other === id));
    const turns = new Map(before === undefined ? [...read, ...known] : [...known, ...read]);
    // The newest page, read again, says nothing of the oldest known one.
    const isAgain = before === undefined && this.known.turns.size > TURNS;
    if (!isAgain) this.#olderTurns = page.hasMore ? page.next : undefined;
    this.#set({ turns, hasOlderTurns: this.#olderTurns !== undefined });
  }

  async #readApprovals(): Promise<void> {
    const { approvals } = await this.reads.get<{ approvals: Approval[] }>(
      "its approvals",
      "/approvals?status=all&limit=100",
    );
    this.#set({ approvals });
  }

  async #readDevices(): Promise<void> {
    this.#devicesAt = Date.now();
    const { diagnostics, record } = this.known;
    if (diagnostics === undefined) return;
    const devices = await readDevices(this.reads, clientsOf(record.entries, diagnostics));
    this.#set({ devices });
  }

  #page(after: string): Promise<EntryPage> {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (after) query.set("after", after);
    return this.reads.get<EntryPage>("the log", `/log?${query}`);
  }

  /** Pages after a serial, up to one that is known, or the end. */
  async #read(from: string, through: string): Promise<void> {
    let after = from;
    for (let pages = 0; pages < STEP_PAGES; pages += 1) {
      const page = await this.#page(after);
      this.#set({ record: withPage(this.known.record, after, page) });
      after = page.next ?? "";
      if (!page.hasMore || (through && after >= through)) return;
    }
  }

  /** A serial some messages before another one, or before the end: where a reading may begin. */
  async #anchor(before?: string): Promise<string> {
    const query = new URLSearchParams({ limit: String(STEP) });
    if (before) query.set("before", before);
    type Page = { messages: { serial: string }[] };
    const { messages } = await this.reads.get<Page>("a place in the log", `/messages?${query}`);
    return messages.at(-1)?.serial ?? "";
  }

  /** Entries that are new, and those of messages that may have changed. */
  async #readNews(): Promise<void> {
    const { entries, end } = this.known.record;
    const recent = entries.slice(-PAGE / 2);
    const streaming = recent.findIndex(({ status }) => status === "streaming");
    const from = streaming < 0 ? end : (recent[streaming - 1]?.serial ?? end);
    const before = new Set(entries.map(({ serial }) => serial));
    try {
      await this.#read(from, "");
    } catch (error) {
      if ((error as Partial<SessileError>).code !== "not-found") throw error;
      // Another life of the session has another log.
      this.#set({ record: NOTHING, turns: new Map() });
      await this.#first();
    }
    const fresh = this.known.record.entries.filter(({ serial }) => !before.has(serial));
    const changed = new Set(fresh.map(({ message }) => message).filter((it) => it !== undefined));
    for (const serial of [...changed].slice(-AGAIN)) await this.#readOne(serial, from);
  }

  /** One entry again, where it was read before. */
  async #readOne(serial: string, from: string): Promise<void> {
    const { entries } = this.known.record;
    const at = indexOf(entries, serial);
    const before = entries[at - 1]?.serial;
    if (serial > from || entries[at]?.serial !== serial) return;
    if (this.known.record.gaps.some(({ after }) => after === before)) return;
    const query = before === undefined ? "" : `&after=${before}`;
    const page = await this.reads.get<EntryPage>("one entry", `/log?limit=1${query}`);
    const [entry] = page.entries;
    if (entry?.serial !== serial) return;
    this.#set({ record: withMessage(this.known.record, serial, () => entry) });
  }

  #hear(frames: readonly ServerFrame[]): void {
    for (const frame of frames) {
      const isText = frame.type === "message.append" && frame.status === undefined;
      if (isText) this.#grow(frame);
      if (frame.type === "attached") this.#attached(frame.resumed);
      const { log, turns, approvals, overview } = this.#news;
      this.#news = {
        log: log || (!isText && placeOf(frame) > this.known.record.end),
        turns: turns || frame.type.startsWith("turn."),
        approvals: approvals || frame.type.startsWith("approval."),
        overview: overview || /^(lead|usage|tool|grant|log|presence)/.test(frame.type),
      };
    }
    const { log, turns, approvals, overview } = this.#news;
    if (log || turns || approvals || overview) this.#schedule(SOON_MS);
  }

  #attached(isResumed: boolean): void {
    // The page's own connection is among the others from now on.
    this.#diagnosticsAt = 0;
    // A replay tells what was missed; without one, everything may have changed.
    this.#news = this.#isAttached && !isResumed ? ALL : { ...this.#news, log: true };
    this.#isAttached = true;
  }

  #grow({ serial, data, version }: { serial: string; data: string; version: string }): void {
    const grown = (entry: Entry): Entry => ({
      ...entry,
      bytes: (entry.bytes ?? 0) + bytesOf(data),
      version,
      updatedAt: this.now(),
    });
    this.#set({ record: withMessage(this.known.record, serial, grown) });
  }

  /** One reading at a time; the next is scheduled behind it. */
  async #run(job: () => Promise<void>): Promise<void> {
    if (this.#isRunning || this.#isEnded) return;
    this.#isRunning = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#set({ isReading: true });
    try {
      await job();
      this.#failures = 0;
      this.#set({ error: undefined, isReading: false, readAt: Date.now() });
    } catch (cause) {
      this.#failures += 1;
      const error = cause instanceof SessileError ? cause : failure(cause);
      const phase = this.known.phase === "ready" ? "ready" : "failed";
      this.#set({ error, phase, isReading: false });
    }
    this.#isRunning = false;
    const { log, turns, approvals, overview } = this.#news;
    const isNews = this.#failures === 0 && (log || turns || approvals || overview);
    const slow = this.tap.status === "open" ? SLOW_MS : BLIND_MS;
    const wait = isNews ? SOON_MS : slow;
    const back = Math.min(2000 * 2 ** (this.#failures - 1), 30_000);
    if (mayPass(this.known.error)) this.#schedule(this.#failures > 0 ? back : wait);
  }

  /** Reads after so long, or sooner where that is due. */
  #schedule(waitMs: number): void {
    if (this.#isEnded || this.#isRunning || document.visibilityState === "hidden") return;
    const dueAt = Date.now() + waitMs;
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#run(() => (this.known.phase === "ready" ? this.#again() : this.#first()));
    }, waitMs);
  }

  #set(more: Partial<Known>): void {
    this.known = { ...this.known, ...more };
    this.#tell();
  }

  #isTold = false;

  /** Tells once a frame of the screen at most. */
  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const tell = () => {
      this.#isTold = false;
      this.known = { ...this.known };
      for (const listener of this.#listeners) listener();
    };
    if (document.visibilityState === "hidden") setTimeout(tell, 100);
    else requestAnimationFrame(tell);
  }
}

function failure(cause: unknown): SessileError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new SessileError("internal", message, undefined, cause);
}

/** Whether reading again may help; a token, a right or another address does otherwise. */
function mayPass(error: SessileError | undefined): boolean {
  return error === undefined || !/^(unauthorized|forbidden|invalid-)/.test(error.code);
}
