// How a session is, in tables: its diagnostics beside its snapshot (P11.4).

import type { Snapshot } from "../index.ts";
import type { Io } from "./io.ts";
import { count, oneLine, styled, table, time } from "./print.ts";

/** A connection's beginning. */
interface Trace {
  attachedAt?: number;
  resumed?: boolean;
  reason?: string;
  frames: number;
  bytes: number;
  refused: Record<string, number>;
}

interface Delivery {
  id: string;
  target: string;
  attempts: number;
  reason: string;
}

/** `GET …/diagnostics`, as far as it is shown here; other fields go to `--json` alone. */
export interface Diagnostics {
  serial: string;
  rowsWritten: number;
  rowsRead: number;
  databaseBytes: number;
  connections: {
    connection: string;
    client: string;
    kind: string;
    window: number;
    unsent: number;
    trace: Trace;
  }[];
  traces: {
    attached: number;
    resumed: number;
    refused: Record<string, number>;
    closed: Record<string, number>;
    gone: {
      client: string;
      goneAt: number;
      serial: string;
      code?: number;
      reason?: string;
      trace: Trace;
    }[];
  };
  deliveries: { pending: number; failing: Delivery[]; dead: Delivery[] };
}

export function report(snapshot: Snapshot, it: Diagnostics, io: Io): string {
  const { session, createdAt, updatedAt, turns = [], approvals = [], calls = [] } = snapshot;
  const heading = (text: string) => `\n${styled(io, "bold", text)}\n`;
  const open = turns.filter(({ endedAt }) => endedAt === undefined);
  const parts = [
    `${styled(io, "bold", session)}  at ${it.serial || "-"}, begun ${time(createdAt)}, ` +
      `written ${time(updatedAt)}\n`,
    `${count(open.length, "open turn")}, ${count(approvals.length, "pending approval")}, ` +
      `${count(calls.length, "pending call")}; ${it.rowsWritten} rows written and ` +
      `${it.rowsRead} read since it woke, ${it.databaseBytes} bytes\n`,
  ];
  if (open.length > 0) {
    const rows = open.map((turn) => [
      turn.id,
      turn.status,
      turn.agent ?? "-",
      time(turn.startedAt ?? turn.createdAt),
      turn.reason ?? turn.cancel?.reason ?? "",
    ]);
    parts.push(heading("Open turns"), cells(["turn", "status", "agent", "since", "reason"], rows));
  }
  if (it.connections.length > 0) {
    const names = [
      "connection",
      "client",
      "kind",
      "window",
      "unsent",
      "began",
      "replayed",
      "refused",
    ];
    const rows = it.connections.map(({ connection, client, kind, window, unsent, trace }) => [
      connection,
      client,
      kind,
      `${window} ms`,
      `${unsent} B`,
      beginning(trace),
      `${trace.frames} frames, ${trace.bytes} B`,
      codes(trace.refused),
    ]);
    parts.push(heading("Connections"), cells(names, rows));
  }
  const { attached, resumed, refused, closed, gone } = it.traces;
  parts.push(
    heading("Since it woke"),
    `${attached} attached, ${resumed} resumed; refused: ${codes(refused)}; ` +
      `closed by the session: ${codes(closed)}\n`,
  );
  if (gone.length > 0) {
    const rows = gone.map(({ client, goneAt, serial, code, reason, trace }) => [
      client,
      time(goneAt),
      serial,
      code === undefined ? "left" : `${code} ${reason ?? ""}`,
      beginning(trace),
    ]);
    parts.push(heading("Gone"), cells(["client", "at", "log's end", "how", "began"], rows));
  }
  const { pending, failing, dead } = it.deliveries;
  parts.push(heading("Deliveries"), `${pending} pending\n`);
  const deliveries = [...failing.map(row("failing")), ...dead.map(row("dead"))];
  if (deliveries.length > 0) {
    parts.push(cells(["state", "id", "target", "attempts", "reason"], deliveries));
  }
  return parts.join("");
}

const row = (state: string) => (it: Delivery) => [
  state,
  it.id,
  it.target,
  String(it.attempts),
  it.reason,
];

function beginning({ attachedAt, resumed, reason }: Trace): string {
  if (attachedAt === undefined) return "before it woke";
  return `${time(attachedAt)} ${resumed ? "resumed" : `anew${reason ? `: ${reason}` : ""}`}`;
}

function codes(counts: Record<string, number>): string {
  const all = Object.entries(counts).map(([code, number]) => `${number} ${code}`);
  return all.length === 0 ? "none" : all.join(", ");
}

function cells(names: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    names,
    rows.map((cells) => cells.map((cell) => oneLine(cell, 80))),
  );
}
