// Things that wait for people, and that people hold up.

import type { Evidence, Finding } from "../findings.ts";
import type { Approval } from "../shapes.ts";
import { ago, lasted } from "../words.ts";
import { name } from "./text.ts";

/** Approvals that are told one by one. */
const TOLD = 3;

export function people(evidence: Evidence): Finding[] {
  const of = [lead, budget, asked, calls, trimmed];
  return of.flatMap((one) => one(evidence));
}

function trimmed({ trimmed: begin }: Evidence): Finding[] {
  if (begin === undefined) return [];
  const text = `The log begins at ${name(begin)}: retention took what was before.`;
  return [{ tone: "note", text, rule: "P11.2", section: "timeline" }];
}

function lead({ overview, now }: Evidence): Finding[] {
  const { lead: leading } = overview;
  if (leading === undefined) return [];
  const text =
    `${name(leading.client)} has led for ${lasted(leading.since, now)}: ` +
    `agents are refused, and inputs wait for the return.`;
  return [{ tone: "warn", text, rule: "P8.8", at: leading.since, section: "timeline" }];
}

function budget({ overview }: Evidence): Finding[] {
  const over = overview.overBudget;
  if (over === undefined) return [];
  const text =
    `The budget of ${name(over.name)} is spent (${over.used.toLocaleString("en")} of ` +
    `${over.limit.toLocaleString("en")}): open turns were cancelled, new ones are refused.`;
  return [{ tone: "bad", text, rule: "P6.12", section: "timeline" }];
}

function asked({ approvals, now }: Evidence): Finding[] {
  const pending = approvals.filter(({ status }) => status === "pending");
  const found: Finding[] = pending.slice(0, TOLD).map((approval) => ({
    tone: "note",
    text: `${asking(approval)} has waited for ${lasted(approval.createdAt, now)}${until(approval, now)}.`,
    rule: "P8.2",
    at: approval.createdAt,
    section: "approvals",
  }));
  const expired = approvals.filter(({ status }) => status === "expired");
  const [last] = expired;
  if (last !== undefined) {
    const at = last.history.at(-1)?.at ?? last.createdAt;
    found.push({
      tone: "warn",
      text: `${asking(last)} expired ${ago(at, now)}: nobody decided by its deadline.`,
      rule: "P8.3",
      at,
      section: "approvals",
    });
  }
  return found;
}

function asking({ kind, title, client }: Approval): string {
  return `The ${kind} ${name(title)} of ${name(client)}`;
}

function until({ deadlineAt, assignees }: Approval, now: number): string {
  const whom = assignees === undefined ? "" : `; it asks ${assignees.map(name).join(", ")}`;
  return `${whom}${deadlineAt === undefined ? "" : `; its deadline is ${ago(deadlineAt, now)}`}`;
}

function calls({ overview, now }: Evidence): Finding[] {
  return (overview.calls ?? [])
    .filter(({ status, claim }) => status === "pending" && claim?.leaseUntil === undefined)
    .slice(0, TOLD)
    .map(({ name: tool, createdAt, client }) => ({
      tone: "note",
      text: `The tool ${name(tool)} of ${name(client)} has waited for a device for ${lasted(createdAt, now)}.`,
      rule: "P8.9",
      at: createdAt,
      section: "approvals",
    }));
}
