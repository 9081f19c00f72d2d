// All that a connection had been sent at a moment, as far as the session's traces of connections and
// its log tell (P11.4), and what they do not.

import { indexAt, indexOf } from "./record.ts";
import type { Connected, Entry, Gone } from "./shapes.ts";
import { ago, bytes, count, moment, shown, span } from "./words.ts";

/** A connection that is open, or gone. */
export type Reader = Connected | Gone;

export interface Seen {
  /** All that is known, as sentences. */
  known: string[];
  /** All that is not. */
  unknown: string[];
  /** The last entry that it had been sent, if it had been sent any. */
  last: Entry | undefined;
}

/** All that a connection had been sent at a time. */
export function seenBy(reader: Reader, at: number, entries: readonly Entry[]): Seen {
  const { trace } = reader;
  const attachedAt = trace?.attachedAt;
  const goneAt = "goneAt" in reader ? reader.goneAt : undefined;
  if (attachedAt !== undefined && at < attachedAt) {
    return {
      known: [`It attached at ${moment(attachedAt)}, ${span(attachedAt - at)} after that moment.`],
      unknown: ["An earlier connection of the same client may have been there: choose that one."],
      last: undefined,
    };
  }
  const until = Math.min(at, goneAt ?? at);
  // Entries of one millisecond are told at once: the last of them counts.
  const sent = entries[indexAt(entries, until + 1) - 1];
  const last = "goneAt" in reader && at >= reader.goneAt ? upTo(entries, reader.serial) : sent;
  const known = [beginning(reader), ...ending(reader, at)];
  if (last === undefined) {
    known.push("Nothing of what was read of the log is from before that moment.");
  } else {
    const window =
      "window" in reader && reader.window > 0
        ? `, but for text that its window of ${reader.window} ms held`
        : "";
    known.push(
      `It had been sent everything up to ${last.serial} (${last.type}, ${moment(last.at)})${window}.`,
    );
  }
  known.push(...progress(reader, at));
  return { known, unknown: unknowns(reader, at, last, entries), last };
}

function upTo(entries: readonly Entry[], serial: string): Entry | undefined {
  return entries[indexOf(entries, `${serial}\0`) - 1];
}

function beginning({ trace, kind }: Reader): string {
  const how = kind === "events" ? "event stream" : kind;
  if (trace?.attachedAt === undefined) {
    return `It attached (${how}) before the session's object last woke; when is not known.`;
  }
  const replay = `${count(trace.frames, "frame")}, ${bytes(trace.bytes)}`;
  const began = `It attached (${how}) at ${moment(trace.attachedAt)}`;
  if (trace.resumed) return `${began}, resumed where it was, and was replayed ${replay}.`;
  const why = trace.reason === undefined ? "" : ` since it was ${shown(trace.reason, 160)}`;
  return `${began}, began anew${why}, and was replayed ${replay}.`;
}

function ending(reader: Reader, at: number): string[] {
  if (!("goneAt" in reader) || at < reader.goneAt) return [];
  const how =
    reader.code === undefined
      ? "its client or the network closed it"
      : `the session closed it with ${reader.code} (${shown(reader.reason ?? "", 120)})`;
  return [`It was gone since ${moment(reader.goneAt)}: ${how}. Nothing was sent after that.`];
}

/** The part that it had taken, as far as it said so. */
function progress(reader: Reader, at: number): string[] {
  const said: string[] = [];
  const seenAt = reader.trace?.seenAt;
  if (seenAt !== undefined) {
    const words =
      at <= seenAt
        ? "so it had taken what was sent before that moment, at the latest then"
        : `${span(at - seenAt)} before that moment`;
    said.push(`It last said that it had processed everything at ${moment(seenAt)}, ${words}.`);
  }
  if ("unsent" in reader && reader.unsent > 0)
    said.push(`Now it has not taken ${bytes(reader.unsent)} yet.`);
  return said;
}

function unknowns(
  reader: Reader,
  at: number,
  last: Entry | undefined,
  entries: readonly Entry[],
): string[] {
  const found = ["Whether it follows messages of some names only is not recorded (P3.3)."];
  if (reader.trace?.seenAt === undefined) {
    found.push("How much of that it had processed is not known: it has answered no probe (P13.7).");
  }
  if (reader.trace?.resumed) {
    found.push("The position that it resumed from is not recorded; the replay's size is.");
  }
  const streaming = entries.filter(
    (entry) =>
      entry.type === "message.create" &&
      entry.seq !== undefined &&
      entry.at <= at &&
      (entry.updatedAt ?? entry.at) > at,
  );
  const one = streaming.at(-1);
  if (one !== undefined && last !== undefined) {
    const others = streaming.length > 1 ? ` and ${streaming.length - 1} more` : "";
    found.push(
      `Message ${one.serial}${others} still grew: how much of its text was there at that moment ` +
        "is not recorded.",
    );
  }
  found.push("What its person saw of it on the screen is beyond the session.");
  return found;
}

/** A reader in a list to choose from. */
export function labelOf(reader: Reader, now: number): string {
  const since = reader.trace?.attachedAt;
  const began = since === undefined ? "from before the object woke" : `since ${moment(since)}`;
  const state = "goneAt" in reader ? `gone ${ago(reader.goneAt, now)}` : "open";
  return `${shown(reader.client, 40)} · ${reader.connection} · ${began} · ${state}`;
}
