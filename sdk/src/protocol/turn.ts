// Turns: one agent answer to one input (P6).

import type { Usage } from "./usage.ts";

/** How far a turn has come. The last three are final (P6.1). */
export type TurnStatus = "queued" | "active" | "suspended" | "complete" | "cancelled" | "failed";

/** How a turn ends. */
export type Ending = "complete" | "cancelled" | "failed";

/** The cancel that somebody asked for (P6.5). */
export interface Cancel {
  by: string;
  at: number;
  reason?: string;
}

/** A turn (P6.1). Fields that are absent are left out. */
export interface Turn {
  id: string;
  status: TurnStatus;
  /** Why a suspended turn waits, or a failed one failed: `agent-lost`, `abandoned`. */
  reason?: string;
  /** The client that leads or led it. */
  agent?: string;
  /** The serial of the message that it answers. */
  input?: string;
  /** The serial of the message that it follows (P6.9). */
  parent?: string;
  /** The turn within which it runs (P6.11). */
  within?: string;
  /** Whether it goes on after the end of that turn. */
  detached?: boolean;
  /** Counts the processes that led it (P6.8). */
  attempt: number;
  leaseMs?: number;
  leaseUntil?: number;
  cancel?: Cancel;
  createdAt: number;
  startedAt?: number;
  endedAt?: number;
  error?: unknown;
  metadata?: unknown;
  /** The W3C trace context of its cause (P6.13). */
  traceparent?: string;
  /** The amounts that it used so far, those of turns within it not among them (P6.12). */
  usage?: Usage;
}

const FINAL: readonly TurnStatus[] = ["complete", "cancelled", "failed"];

/** Whether a turn may still change. */
export function isOpen(turn: Pick<Turn, "status">): boolean {
  return !FINAL.includes(turn.status);
}
