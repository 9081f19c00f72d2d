// How a session is, in plain words: sentences that follow from its log and its diagnostics, each
// with the rule behind it. Pure functions, so that the same session always says the same.

import { outside } from "./findings/outside.ts";
import { people } from "./findings/people.ts";
import { readers } from "./findings/readers.ts";
import { turns } from "./findings/turns.ts";
import type { Approval, Devices, Diagnostics, Entry, Overview, Turn } from "./shapes.ts";

/** Something that is worth knowing first. */
export interface Finding {
  tone: "bad" | "warn" | "note";
  /** A sentence; text of others stands in backticks. */
  text: string;
  /** The rule of PROTOCOL.md that explains it. */
  rule: string;
  /** When it happened, or began. */
  at?: number;
  /** The part of the page that shows more. */
  section: "timeline" | "connections" | "deliveries" | "approvals";
}

/** All that findings are made of. */
export interface Evidence {
  now: number;
  overview: Overview;
  diagnostics: Diagnostics;
  /** The newest first. */
  turns: readonly Turn[];
  approvals: readonly Approval[];
  entries: readonly Entry[];
  /** Where the log begins, if retention took what was before. */
  trimmed: string | undefined;
  devices: readonly Devices[] | undefined;
  /** The connection of the inspector itself. */
  own: string | undefined;
}

const ORDER = { bad: 0, warn: 1, note: 2 };

/** The findings, the gravest first, then the newest. */
export function findings(evidence: Evidence): Finding[] {
  const all = [turns, outside, readers, people].flatMap((of) => of(evidence));
  return all.sort(
    (one, other) => ORDER[one.tone] - ORDER[other.tone] || (other.at ?? 0) - (one.at ?? 0),
  );
}
