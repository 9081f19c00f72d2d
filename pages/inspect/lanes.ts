// A lane for each client: who did what, when. In it the client's turns, its connections and its entries
// stand over time. Numbers only; `timeline.tsx` draws them.

import { indexAt } from "./record.ts";
import type { Diagnostics, Entry, Turn } from "./shapes.ts";
import type { View } from "./view.ts";

/** A stretch of time that has an end, or goes on. */
interface Stretch {
  from: number;
  to: number | undefined;
}

/** A turn in the lane of its agent. */
export interface TurnBar extends Stretch {
  id: string;
  status: string;
  /** The row of the lane; turns at one time have different ones. */
  row: number;
}

/** A connection in the lane of its client. */
export interface Line extends Stretch {
  connection: string;
  /** Whether the session closed it. */
  isDropped: boolean;
}

export interface Lane {
  /** The client; `undefined` for the session itself, and for the clients beyond the bound. */
  client: string | undefined;
  label: string;
  /** The entries of each row of marks, in their order. */
  marks: readonly (readonly Entry[])[];
  turns: readonly TurnBar[];
  lines: readonly Line[];
  /** Rows of turns. */
  rows: number;
}

/** Lanes that are drawn; the clients that did least share the last one. */
const LANES = 40;
/** Rows of turns in a lane; further turns share the last. */
const ROWS = 5;

interface Found {
  entries: Entry[];
  turns: Omit<TurnBar, "row">[];
  lines: Line[];
}

/** The lanes, in the order in which their clients came. */
export function lanesOf(
  entries: readonly Entry[],
  turns: ReadonlyMap<string, Turn>,
  diagnostics: Diagnostics | undefined,
  own: string | undefined,
): Lane[] {
  const found = new Map<string | undefined, Found>();
  const laneOf = (client: string | undefined): Found => {
    let lane = found.get(client);
    if (lane === undefined) {
      lane = { entries: [], turns: [], lines: [] };
      found.set(client, lane);
    }
    return lane;
  };
  for (const entry of entries) laneOf(entry.client).entries.push(entry);
  for (const bar of bars(entries, turns)) laneOf(bar.agent).turns.push(bar);
  for (const { client, ...line } of lines(diagnostics, own)) laneOf(client).lines.push(line);
  const session = found.get(undefined);
  found.delete(undefined);
  const clients = shortened([...found]);
  const all = clients.map(([client, lane]) => finished(client, client ?? "other clients", lane));
  return session === undefined ? all : [...all, finished(undefined, "the session itself", session)];
}

type Named = [client: string | undefined, lane: Found];

/** The clients that did most, in their order; the others as one. */
function shortened(all: [string | undefined, Found][]): Named[] {
  if (all.length <= LANES) return all;
  const weight = ({ entries, turns, lines }: Found) => entries.length + turns.length + lines.length;
  const sorted = [...all].sort(([, one], [, other]) => weight(other) - weight(one));
  const kept = new Set(sorted.slice(0, LANES - 1).map(([client]) => client));
  const rest: Found = { entries: [], turns: [], lines: [] };
  for (const [client, { entries, turns }] of all) {
    if (kept.has(client)) continue;
    for (const entry of entries) rest.entries.push(entry);
    for (const turn of turns) rest.turns.push(turn);
  }
  rest.entries.sort((one, other) => (one.serial < other.serial ? -1 : 1));
  return [...all.filter(([client]) => kept.has(client)), [undefined, rest]];
}

function finished(client: string | undefined, label: string, lane: Found): Lane {
  const turns = packed(lane.turns);
  const rows = Math.max(0, ...turns.map(({ row }) => row + 1));
  return { client, label, marks: apart(lane.entries), turns, lines: lane.lines, rows };
}

/** Groups that share a row, so that what is told at once stands one below the other. */
const MARK_ROWS: readonly (readonly Group[])[] = [
  ["message"],
  ["turn", "approval", "call"],
  ["state", "other"],
];

function apart(entries: readonly Entry[]): Entry[][] {
  const rows = MARK_ROWS.map((groups) =>
    entries.filter(({ type }) => groups.includes(groupOf(type))),
  );
  return rows.filter((row) => row.length > 0);
}

/** Each turn in the first row in which it has room. */
function packed(turns: readonly Omit<TurnBar, "row">[]): TurnBar[] {
  const ends: number[] = [];
  return [...turns]
    .sort((one, other) => one.from - other.from)
    .map((turn) => {
      const free = ends.findIndex((end) => end < turn.from);
      const row = free >= 0 ? free : Math.min(ends.length, ROWS - 1);
      ends[row] = Math.max(ends[row] ?? 0, turn.to ?? Number.POSITIVE_INFINITY);
      return { ...turn, row };
    });
}

interface Bar extends Omit<TurnBar, "row"> {
  agent: string | undefined;
}

/** Turns as the reads show them, and those that only the entries tell of. */
function bars(entries: readonly Entry[], turns: ReadonlyMap<string, Turn>): Bar[] {
  const found = new Map<string, Bar>();
  for (const { id, agent, status, startedAt, createdAt, endedAt } of turns.values()) {
    found.set(id, { id, agent, status, from: startedAt ?? createdAt, to: endedAt });
  }
  for (const { type, turn: id, at, client } of entries) {
    if (id === undefined || turns.has(id)) continue;
    if (type === "turn.start" || type === "turn.queue") {
      const from = found.get(id)?.from ?? at;
      found.set(id, { id, agent: client, status: "ended", from, to: at });
    }
    const bar = found.get(id);
    if (bar !== undefined && (bar.to ?? 0) < at) bar.to = at;
  }
  return [...found.values()];
}

function lines(
  diagnostics: Diagnostics | undefined,
  own: string | undefined,
): (Line & { client: string })[] {
  if (diagnostics === undefined) return [];
  const open = diagnostics.connections
    .filter(({ connection }) => connection !== own)
    .map(({ client, connection, trace }) => {
      const from = trace?.attachedAt ?? Number.NEGATIVE_INFINITY;
      return { client, connection, from, to: undefined, isDropped: false };
    });
  const gone = diagnostics.traces.gone.map(({ client, connection, trace, goneAt, code }) => {
    const from = trace.attachedAt ?? Number.NEGATIVE_INFINITY;
    return { client, connection, from, to: goneAt, isDropped: code !== undefined };
  });
  return [...gone, ...open];
}

/** Entries that stand so near to each other that they are one mark. */
export interface Mark {
  /** From 0, the left edge of the view, to 1. */
  x: number;
  entries: readonly Entry[];
}

/** The marks of a lane in a view with so many places beside each other. */
export function marksOf(entries: readonly Entry[], view: View, places: number): Mark[] {
  const width = Math.max(view.to - view.from, 1);
  const last = indexAt(entries, view.to + 1);
  const marks: { place: number; entries: Entry[] }[] = [];
  for (let at = indexAt(entries, view.from); at < last; at += 1) {
    const entry = entries[at];
    if (entry === undefined) break;
    const place = Math.min(Math.floor(((entry.at - view.from) / width) * places), places - 1);
    const mark = marks.at(-1);
    if (mark?.place === place) mark.entries.push(entry);
    else marks.push({ place, entries: [entry] });
  }
  return marks.map((mark) => ({ x: (mark.place + 0.5) / places, entries: mark.entries }));
}

/** A turn with the place that it is drawn at. */
export interface Drawn extends TurnBar {
  left: number;
  width: number;
}

/** The shortest that a turn is drawn, in pixels. */
const TURN_MIN = 3;

/** The turns in view, but for those that would cover nothing new; a failed one always shows. */
export function drawnOf(turns: readonly TurnBar[], view: View, x: (at: number) => number): Drawn[] {
  const ends: number[] = [];
  const drawn: Drawn[] = [];
  const isFailed = ({ status }: TurnBar) => (status === "failed" ? 1 : 0);
  for (const turn of turns) {
    if (turn.from > view.to || (turn.to ?? view.to) < view.from) continue;
    const left = x(turn.from);
    const right = Math.max(x(turn.to ?? view.to), left + TURN_MIN);
    const end = ends[turn.row] ?? Number.NEGATIVE_INFINITY;
    if (right <= end + 1 && !isFailed(turn)) continue;
    ends[turn.row] = Math.max(end, right);
    drawn.push({ ...turn, left, width: right - left });
  }
  // Failed ones last: nothing lies above them.
  return drawn.sort((one, other) => isFailed(one) - isFailed(other));
}

/** The group of an entry's kind, which it is drawn by. */
export type Group = "message" | "turn" | "approval" | "call" | "state" | "other";

export function groupOf(type: string): Group {
  if (type.startsWith("message.")) return "message";
  if (type.startsWith("turn.")) return "turn";
  if (type.startsWith("approval.") || type.startsWith("grant.")) return "approval";
  if (type.startsWith("tool.")) return "call";
  return type.startsWith("state.") ? "state" : "other";
}
