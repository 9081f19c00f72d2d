// Readers that were dropped, that lag, that lost their place, and frames that were refused.

import type { Evidence, Finding } from "../findings.ts";
import type { Gone } from "../shapes.ts";
import { ago, bytes, count, shown } from "../words.ts";
import { codes, few, grouped, name, times } from "./text.ts";

/** Readers of one kind that are told one by one. */
const TOLD = 5;
const MORE = "The same is so of more: the table of connections has";
/** Bytes not taken that are worth a word; the session drops a reader at 4 MiB. */
const LAGGING = 256 * 1024;
/** Connections of one client that ended within ten minutes. */
const RESTLESS = 5;
const RESTLESS_MS = 600_000;

/** Close codes of P13.3 in words. */
const CLOSED: Readonly<Record<number, string>> = {
  4400: "what it sent broke the protocol",
  4401: "its token had expired",
  4403: "its token does not allow it",
  4410: "the session was deleted",
  4413: "what it sent was too large",
  4429: "it was too slow, or too fast",
};

export function readers(evidence: Evidence): Finding[] {
  const of = [dropped, lagging, lost, restless, refused];
  return of.flatMap((one) =>
    few(one(evidence), TOLD, (rest) => `${MORE} ${count(rest, "reader")}.`),
  );
}

function dropped({ diagnostics, now }: Evidence): Finding[] {
  const closed = diagnostics.traces.gone.filter(({ code }) => code !== undefined).reverse();
  const groups = grouped(closed, ({ client, code }) => JSON.stringify([client, code]));
  return [...groups.values()].map((group) => {
    const [last] = group;
    const isAgain = group.length > 1 ? ` This happened ${times(group.length)}.` : "";
    return {
      tone: last.code === 4401 || last.code === 4410 ? "note" : "bad",
      text: `${cause(last)} ${ago(last.goneAt, now)} at ${name(last.serial)}.${isAgain}`,
      rule: last.code === 4429 ? "P13.7" : "P13.3",
      at: last.goneAt,
      section: "connections",
    };
  });
}

function cause({ client, code = 0, reason }: Gone): string {
  const words = reason ? shown(reason, 120).replaceAll("`", "ˋ") : (CLOSED[code] ?? "");
  const isSlow = code === 4429 && /slow/.test(words);
  const who = `The reader ${name(client)}`;
  if (isSlow) return `${who} took too little of what it was sent, and was dropped as too slow`;
  return `${who} was closed with ${code} (${words})`;
}

function lagging({ diagnostics, own }: Evidence): Finding[] {
  return diagnostics.connections
    .filter(({ unsent, connection }) => unsent >= LAGGING && connection !== own)
    .sort((one, other) => other.unsent - one.unsent)
    .map(({ client, unsent, connection }) => ({
      tone: "warn",
      text:
        `The reader ${name(client)} (connection ${name(connection)}) has not taken ` +
        `${bytes(unsent)} that it was sent: it is slow, or frozen.`,
      rule: "P13.7",
      section: "connections",
    }));
}

/** Those that could not go on from where they were. */
function lost({ diagnostics, now }: Evidence): Finding[] {
  const { connections, traces } = diagnostics;
  return [...connections, ...[...traces.gone].reverse()].flatMap(({ client, trace }) => {
    if (trace?.resumed !== false || trace.reason === undefined) return [];
    const at = trace.attachedAt;
    const when = at === undefined ? "" : ` ${ago(at, now)}`;
    const reason = shown(trace.reason, 160).replaceAll("`", "ˋ");
    return {
      tone: "warn" as const,
      text: `The reader ${name(client)} had to begin anew${when}: ${reason}.`,
      rule: "P3.6",
      ...(at !== undefined && { at }),
      section: "connections" as const,
    };
  });
}

function restless({ diagnostics, now }: Evidence): Finding[] {
  const recent = diagnostics.traces.gone.filter(({ goneAt }) => now - goneAt < RESTLESS_MS);
  const groups = grouped(recent, ({ client }) => client);
  return [...groups]
    .filter(([, group]) => group.length >= RESTLESS)
    .map(([client, group]) => ({
      tone: "warn",
      text:
        `${name(client)} lost or closed ${count(group.length, "connection")} within ten minutes: ` +
        `its network is unsteady, or its page reloads.`,
      rule: "P3.5",
      at: group.at(-1)?.goneAt ?? now,
      section: "connections",
    }));
}

/** Refusals by client, as far as connections tell; those by HTTP have no connection. */
function refused({ diagnostics, own }: Evidence): Finding[] {
  const { connections, traces } = diagnostics;
  const all = [...connections, ...traces.gone];
  const found: Finding[] = [];
  const rest = remainder(traces.refused, all);
  if (Object.keys(rest).length > 0) {
    found.push({
      tone: "warn",
      text: `Frames by HTTP, or connections that never began, were refused: ${codes(rest)}.`,
      rule: "P13.2",
      section: "connections",
    });
  }
  const others = all.filter(({ connection }) => connection !== own);
  for (const [client, group] of grouped(others, ({ client }) => client)) {
    const sums = added(group.map(({ trace }) => trace?.refused ?? {}));
    if (Object.keys(sums).length === 0) continue;
    const times = group.map(({ trace }) => trace?.attachedAt ?? 0);
    found.push({
      tone: "warn",
      text: `Frames of ${name(client)} were refused: ${codes(sums)}.`,
      rule: "P13.2",
      at: Math.max(...times),
      section: "connections",
    });
  }
  return found;
}

function added(all: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of all) {
    for (const [code, number] of Object.entries(one)) sums[code] = (sums[code] ?? 0) + number;
  }
  return sums;
}

/** The refusals that no connection accounts for. */
function remainder(
  all: Record<string, number>,
  connections: readonly { trace?: { refused: Record<string, number> } }[],
): Record<string, number> {
  const rest = { ...all };
  for (const { trace } of connections) {
    for (const [code, number] of Object.entries(trace?.refused ?? {})) {
      rest[code] = (rest[code] ?? 0) - number;
    }
  }
  return Object.fromEntries(Object.entries(rest).filter(([, number]) => number > 0));
}
