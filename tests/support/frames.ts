// Frames by their names in the protocol; only the fields that tests check.

export interface Message {
  serial: string;
  version: string;
  id?: string;
  name: string;
  client: string;
  connection?: string;
  role: string;
  turn?: string;
  parent?: string;
  data?: unknown;
  headers?: Record<string, string>;
  status?: string;
  seq?: number;
  createdAt: number;
  updatedAt: number;
  deletedAt?: number;
}

export interface Turn {
  id: string;
  status: string;
  reason?: string;
  agent?: string;
  input?: string;
  parent?: string;
  attempt: number;
  leaseMs?: number;
  leaseUntil?: number;
  cancel?: { by: string; at: number; reason?: string };
  createdAt: number;
  startedAt?: number;
  endedAt?: number;
  error?: unknown;
  metadata?: unknown;
}

export interface Member {
  client: string;
  name?: string;
  connection: string;
  role: string;
  data?: unknown;
  since: number;
}

export interface Problem {
  code: string;
  status: number;
  message: string;
  expectedSeq?: number;
  length?: number;
  retryAfterMs?: number;
}

export interface Published {
  serial: string;
  version: string;
  id?: string;
  duplicate?: boolean;
}

export interface Result {
  serial?: string;
  version?: string;
  seq?: number;
  duplicate?: boolean;
  messages?: Published[];
  turn?: Turn;
  turns?: Turn[];
  member?: Member;
}

export interface Frame {
  type: string;
  ref?: string | number | null;
  serial?: string;
  version?: string;
  offset?: number;
  data?: unknown;
  status?: string;
  headers?: Record<string, string>;
  message?: Message;
  error?: Problem;
  result?: Result;
  protocol?: number;
  session?: string;
  connection?: string;
  client?: string;
  expiresAt?: number;
  resumed?: boolean;
  hasOlder?: boolean;
  limits?: Record<string, number>;
  before?: string;
  keep?: string[];
  n?: number;
  name?: string;
  code?: number;
  superseded?: boolean;
  turn?: Turn;
  turns?: Turn[];
  member?: Member;
  presence?: Member[];
}

export interface Page {
  messages: Message[];
  turns?: Turn[];
  hasMore: boolean;
  next?: string;
}

export type Outgoing = { type: string } & Record<string, unknown>;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One WebSocket message or SSE event is one frame or an array of frames (P13.6). */
export function parseFrames(text: string): Frame[] {
  const value: unknown = JSON.parse(text);
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (!isObject(item) || typeof item.type !== "string") {
      throw new Error(`not a frame: ${JSON.stringify(item)?.slice(0, 200)}`);
    }
    return item as unknown as Frame;
  });
}

export function isLogFrame(frame: Frame): boolean {
  return frame.type.startsWith("message.") || isTurnFrame(frame) || frame.type === "log.trim";
}

export function isTurnFrame(frame: Frame): boolean {
  return frame.type.startsWith("turn.");
}

/** The place in the log that a frame brings its reader to. */
export function place(frame: Frame): string {
  const own = [frame.serial, frame.version, frame.message?.serial, frame.message?.version];
  return own.reduce<string>((high, one) => (one !== undefined && one > high ? one : high), "");
}
