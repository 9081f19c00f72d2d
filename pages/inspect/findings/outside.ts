// Calls to other systems that fail, and notices that push services refused.

import { ofSession } from "../devices.ts";
import type { Evidence, Finding } from "../findings.ts";
import type { Letter, Notice } from "../shapes.ts";
import { ago, count, shown } from "../words.ts";
import { grouped, name, times } from "./text.ts";

export function outside(evidence: Evidence): Finding[] {
  return [...failing(evidence), ...dead(evidence), ...stuck(evidence), ...notices(evidence)];
}

/** A target as people call it: an address, or a way with a name behind it. */
function called(target: string): string {
  return /^https?:/.test(target) ? `Webhook ${name(target)}` : `The target ${name(target)}`;
}

function said(reason: string): string {
  return `last: ${shown(reason, 200).replaceAll("`", "ˋ")}`;
}

function failing({ diagnostics, now }: Evidence): Finding[] {
  const groups = grouped(diagnostics.deliveries?.failing ?? [], ({ target }) => target);
  return [...groups].map(([target, group]) => {
    const worst = most(group);
    const next = worst.dueAt === undefined ? "" : ` The next try is ${ago(worst.dueAt, now)}.`;
    return {
      tone: "bad",
      text:
        `${called(target)} has failed ${times(worst.attempts)}, ${said(worst.reason)}; ` +
        `${count(group.length, "delivery", "deliveries")} to it ${group.length === 1 ? "waits" : "wait"}.${next}`,
      rule: "P10.4",
      at: worst.createdAt,
      section: "deliveries",
    };
  });
}

function dead({ diagnostics, now }: Evidence): Finding[] {
  const groups = grouped(diagnostics.deliveries?.dead ?? [], ({ target }) => target);
  return [...groups].map(([target, group]) => {
    const worst = most(group);
    return {
      tone: "bad",
      text:
        `${called(target)} was given up ${ago(worst.deadAt ?? worst.createdAt, now)} after it had ` +
        `failed ${times(worst.attempts)}, ${said(worst.reason)}; ` +
        `${count(group.length, "dead letter")}.`,
      rule: "P10.4",
      at: worst.deadAt ?? worst.createdAt,
      section: "deliveries",
    };
  });
}

function most([first, ...rest]: readonly [Letter, ...Letter[]]): Letter {
  return rest.reduce((worst, it) => (it.attempts > worst.attempts ? it : worst), first);
}

/** Inputs that went out and that nobody took. */
function stuck({ diagnostics, overview }: Evidence): Finding[] {
  const { pending = 0, failing: failed = [] } = diagnostics.deliveries ?? {};
  const waiting = pending - failed.length;
  if (waiting <= 0) return [];
  const agent = overview.settings.agent === undefined ? "" : " An agent is set for this session.";
  return [
    {
      tone: "note",
      text:
        `${count(waiting, "delivery", "deliveries")} ${waiting === 1 ? "is" : "are"} pending: ` +
        `behind one that fails, under way, or waiting to be taken.${agent}`,
      rule: "P10.4",
      section: "deliveries",
    },
  ];
}

/** Notices to the devices of its clients. */
function notices({ devices = [], overview, now }: Evidence): Finding[] {
  const ours = devices.map((it) => ofSession(it, overview.session));
  return ours.flatMap(({ client, failing, dead }) => {
    const groups = grouped([...dead, ...failing], ({ device, reason, deadAt }) =>
      JSON.stringify([device, reason, deadAt === undefined]),
    );
    return [...groups.values()].map(([notice, ...rest]) => ({
      tone: "bad" as const,
      text:
        `A push notice to the device ${name(notice.device)} of ${name(client)} ` +
        `${ended(notice, now)}.${rest.length > 0 ? ` ${rest.length} more met the same.` : ""}`,
      rule: "P10.2",
      at: notice.deadAt ?? notice.createdAt,
      section: "deliveries" as const,
    }));
  });
}

function ended({ attempts, deadAt, dueAt, reason }: Notice, now: number): string {
  if (deadAt !== undefined) return `was refused ${ago(deadAt, now)}, ${said(reason)}`;
  const next = dueAt === undefined ? "" : `; the next try is ${ago(dueAt, now)}`;
  return `has failed ${times(attempts)}, ${said(reason)}${next}`;
}
