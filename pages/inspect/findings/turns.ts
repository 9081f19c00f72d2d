// Turns that failed, that wait, or that nobody drives.

import { isOpen } from "sessile";
import type { Evidence, Finding } from "../findings.ts";
import type { Turn } from "../shapes.ts";
import { ago, lasted, span, value } from "../words.ts";
import { grouped, name } from "./text.ts";

/** Turns of one kind that are told one by one. */
const TOLD = 3;
/** A turn that is queued for longer than this waits for an agent that does not come. */
const QUEUED_MS = 10_000;

export function turns(evidence: Evidence): Finding[] {
  return [...ended(evidence), ...requeued(evidence), ...open(evidence), ...streams(evidence)];
}

function ended(evidence: Evidence): Finding[] {
  const failed = evidence.turns.filter(({ status }) => status === "failed");
  const groups = grouped(failed, ({ agent, reason }) => JSON.stringify([agent, reason]));
  return [...groups.values()].map((group) => {
    const [turn] = group;
    const more = group.length === 1 ? "" : ` So did ${group.length - 1} before it.`;
    return {
      tone: isPast(turn, evidence.turns) ? "warn" : "bad",
      text: failure(turn, evidence) + more,
      rule: turn.reason === "abandoned" ? "P6.1" : turn.reason === "agent-lost" ? "P6.8" : "P6.3",
      ...(turn.endedAt !== undefined && { at: turn.endedAt }),
      section: "timeline",
    } satisfies Finding;
  });
}

/** Whether the same agent has come to a good end since. */
function isPast(turn: Turn, all: readonly Turn[]): boolean {
  return all.some(
    ({ agent, status, endedAt }) =>
      agent === turn.agent && status === "complete" && (endedAt ?? 0) > (turn.endedAt ?? 0),
  );
}

function failure(turn: Turn, evidence: Evidence): string {
  const { now } = evidence;
  const at = turn.endedAt ?? turn.createdAt;
  if (turn.reason === "agent-lost") {
    const lost = lastSign(turn, evidence);
    const when = lost === undefined ? "" : ` ${ago(lost, now)}, when its connection ended`;
    return (
      `The agent ${name(turn.agent)} stopped answering${when}; ` +
      `turn ${name(turn.id)} was failed by its lease ${ago(at, now)}.`
    );
  }
  if (turn.reason === "abandoned") {
    return `Turn ${name(turn.id)} was given up ${ago(at, now)}: nobody went on with it in time.`;
  }
  const error = turn.error === undefined ? "" : `: \`${plain(turn.error)}\``;
  return `The agent ${name(turn.agent)} ended turn ${name(turn.id)} as failed ${ago(at, now)}${error}.`;
}

/** When the last connection of a lost agent ended, where that is known. */
function lastSign(turn: Turn, { diagnostics }: Evidence): number | undefined {
  const ends = diagnostics.traces.gone
    .filter(({ client, goneAt }) => client === turn.agent && goneAt <= (turn.endedAt ?? Infinity))
    .filter(({ goneAt }) => goneAt >= (turn.startedAt ?? turn.createdAt))
    .map(({ goneAt }) => goneAt);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function plain(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return value(typeof message === "string" ? message : error, 120).replaceAll("`", "ˋ");
}

/** Turns that a lost agent left to the next process. */
function requeued({ turns: all, now }: Evidence): Finding[] {
  return all
    .filter(({ status, attempt }) => status === "queued" && attempt > 1)
    .slice(0, TOLD)
    .map(({ id, attempt, createdAt, startedAt }) => ({
      tone: "bad",
      text:
        `The agent of turn ${name(id)} was lost; the turn waits for attempt ${attempt}, ` +
        `and was begun ${ago(startedAt ?? createdAt, now)}.`,
      rule: "P6.8",
      at: startedAt ?? createdAt,
      section: "timeline",
    }));
}

function open(evidence: Evidence): Finding[] {
  const { turns: all } = evidence;
  const told = all.filter(isOpen).map((turn) => waiting(turn, evidence));
  const found = told.filter((it) => it !== undefined);
  const rest = found.length - TOLD * 2;
  if (rest <= 0) return found;
  const more: Finding = {
    tone: "note",
    text: `${rest} more open turns are in the timeline.`,
    rule: "P6.4",
    section: "timeline",
  };
  return [...found.slice(0, TOLD * 2), more];
}

function waiting(turn: Turn, evidence: Evidence): Finding | undefined {
  const { now, diagnostics } = evidence;
  const { id, agent, status, cancel, leaseUntil, createdAt, attempt } = turn;
  const made = { at: createdAt, section: "timeline" } as const;
  if (cancel && status === "active") {
    const text =
      `${name(cancel.by)} cancelled turn ${name(id)} ${ago(cancel.at, now)}, ` +
      `and its agent ${name(agent)} has not ended it yet.`;
    return { tone: "warn", text, rule: "P6.5", ...made };
  }
  if (status === "queued" && attempt === 1 && now - createdAt > QUEUED_MS) {
    const text = `Turn ${name(id)} has waited for an agent for ${lasted(createdAt, now)}.`;
    return { tone: "warn", text, rule: "P10.3", ...made };
  }
  if (status === "suspended") {
    const text = `Turn ${name(id)} of ${name(agent)} is suspended: ${value(turn.reason ?? "")}.`;
    return { tone: "note", text, rule: "P6.3", ...made };
  }
  if (status !== "active") return undefined;
  if (diagnostics.connections.some(({ client }) => client === agent)) return undefined;
  const left = (leaseUntil ?? now) - now;
  const ends = left > 0 ? `ends in ${span(left)}` : `ended ${ago(leaseUntil ?? now, now)}`;
  const text =
    `Turn ${name(id)} is active, and its agent ${name(agent)} has no connection; ` +
    `unless the agent is heard by HTTP, its lease ${ends}.`;
  return { tone: "warn", text, rule: "P6.8", ...made };
}

/** Messages outside of turns that nobody went on with. */
function streams({ entries, now }: Evidence): Finding[] {
  const failed = entries.filter(
    ({ type, status, turn }) =>
      type === "message.create" && status === "failed" && turn === undefined,
  );
  const last = failed.at(-1);
  if (last === undefined) return [];
  const at = last.updatedAt ?? last.at;
  const text =
    `A message of ${name(last.client)} broke off ${ago(at, now)}: nobody went on with it, ` +
    `or its request ended early.${failed.length > 1 ? ` So did ${failed.length - 1} more.` : ""}`;
  return [{ tone: "warn", text, rule: "P5.1", at, section: "timeline" }];
}
