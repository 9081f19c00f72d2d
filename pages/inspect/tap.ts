// A connection of the inspector's own: it follows the session, and keeps the frames as they came.

import { placeOf, readFrames, type ServerFrame } from "sessile";
import { bytesOf, framesIn } from "./raw.ts";
import type { Reads } from "./reads.ts";

/** A frame as it was on the wire. */
export interface Raw {
  /** Counts the frames of this page. */
  number: number;
  at: number;
  isOurs: boolean;
  type: string;
  text: string;
  bytes: number;
}

export type TapStatus = "off" | "connecting" | "open" | "waiting" | "closed";

/** Frames that are kept, and their text in all. */
const KEPT_FRAMES = 1000;
const KEPT_LENGTH = 2_000_000;
/** A longer frame is cut: the page is not there to hold messages. */
const FRAME_LENGTH = 20_000;
/** The widest window: the tap is in nobody's way (P5.4). */
const ROLLUP_MS = 500;
const PING_MS = 25_000;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 30_000;
/** Codes after which another attempt would fail as well (P13.3). */
const FINAL: readonly number[] = [4400, 4403, 4410, 4413];

export class Tap {
  /** The newest last. */
  raw: readonly Raw[] = [];
  status: TapStatus = "off";
  /** Why it closed, where the session said so. */
  reason = "";
  isPaused = false;
  /** Frames that came while the list was paused. */
  skipped = 0;
  /** The tap's own connection, as the session names it. */
  connection: string | undefined;
  /** The session's clock, less that of this machine. */
  aheadMs = 0;
  onFrames: (frames: readonly ServerFrame[]) => void = () => {};
  onChange: () => void = () => {};
  readonly #reads: Reads;
  #socket: WebSocket | undefined;
  #position = "";
  #number = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  async open(): Promise<void> {
    if (this.#socket !== undefined || this.status === "connecting") return;
    this.#become("connecting");
    let token: string;
    try {
      token = await this.#reads.token();
    } catch {
      this.#later();
      return;
    }
    // It may have been closed meanwhile.
    if ((this.status as TapStatus) !== "connecting") return;
    const from = this.#position ? { since: this.#position } : { rewind: "0" };
    const query = new URLSearchParams({ ...from, rollup: String(ROLLUP_MS) });
    const url = `${this.#reads.url("/connect").replace(/^http/, "ws")}?${query}`;
    const socket = new WebSocket(url, ["sessile.v1", `sessile.token.${token}`]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(String(data));
    socket.onclose = ({ code, reason }) => this.#closed(socket, code, reason);
    this.#pings = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send("ping");
    }, PING_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#drop();
    socket?.close(1000);
    this.#become("off");
  }

  /** The list stands still; the connection goes on. */
  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.skipped = 0;
    this.onChange();
  }

  clear(): void {
    this.raw = [];
    this.onChange();
  }

  #take(text: string): void {
    if (text === "pong") return;
    const at = Date.now();
    const frames = readFrames(text);
    this.#note(framesIn(text), at, false);
    for (const frame of frames) this.#heed(frame, at);
    this.onFrames(frames);
    this.onChange();
  }

  #heed(frame: ServerFrame, at: number): void {
    const place = placeOf(frame);
    if (place > this.#position) this.#position = place;
    if (frame.type === "attached") {
      this.connection = frame.connection;
      if (frame.at !== undefined) this.aheadMs = frame.at - at;
      // A session that began anew has other serials.
      if (!frame.resumed) this.#position = "";
      this.#failures = 0;
      this.reason = "";
      this.status = "open";
    } else if (frame.type === "probe") {
      this.#say({ type: "seen", n: frame.n });
    } else if (frame.type === "token-expiring") {
      void this.#renew();
    } else if (frame.type === "nack" && frame.ref === null) {
      this.reason = frame.error.message;
    }
  }

  async #renew(): Promise<void> {
    this.#reads.forgetToken();
    const token = await this.#reads.token().catch(() => undefined);
    // The raw list shows no token.
    if (token) this.#socket?.send(JSON.stringify({ type: "auth", ref: "auth", token }));
  }

  #say(frame: object): void {
    const text = JSON.stringify(frame);
    this.#socket?.send(text);
    this.#note([text], Date.now(), true);
  }

  #note(texts: readonly string[], at: number, isOurs: boolean): void {
    if (this.isPaused) {
      this.skipped += texts.length;
      return;
    }
    const more = texts.map((text): Raw => {
      this.#number += 1;
      const type = /^\s*\{\s*"type"\s*:\s*"([^"\\]*)"/.exec(text)?.[1] ?? typeIn(text);
      const kept = text.slice(0, FRAME_LENGTH);
      return { number: this.#number, at, isOurs, type, text: kept, bytes: bytesOf(text) };
    });
    this.raw = bounded([...this.raw, ...more]);
  }

  #closed(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#drop();
    if (code === 4401) this.#reads.forgetToken();
    // Another life of the session has other places.
    if (code === 4410) this.#position = "";
    // A token that was refused twice is the only one there is.
    if (FINAL.includes(code) || (code === 4401 && this.#failures > 1)) {
      this.reason ||= reason || `the session closed the connection with ${code}`;
      this.#become("closed");
    } else this.#later();
  }

  #later(): void {
    this.#failures += 1;
    const wait = Math.min(BACKOFF_MS * 2 ** (this.#failures - 1), BACKOFF_MAX_MS);
    this.#timer = setTimeout(() => void this.open(), wait);
    this.#become("waiting");
  }

  #drop(): void {
    clearInterval(this.#pings);
    this.#socket = undefined;
    this.connection = undefined;
  }

  #become(status: TapStatus): void {
    this.status = status;
    this.onChange();
  }
}

function typeIn(text: string): string {
  try {
    return String(JSON.parse(text).type);
  } catch {
    return "unreadable";
  }
}

function bounded(raw: Raw[]): Raw[] {
  let length = 0;
  let first = raw.length;
  while (first > 0 && raw.length - first < KEPT_FRAMES) {
    length += raw[first - 1]?.text.length ?? 0;
    if (length > KEPT_LENGTH) break;
    first -= 1;
  }
  return raw.slice(first);
}
