// Every entry in view as a table: what the timeline draws, in words.

import { useEffect, useMemo, useState } from "react";
import { Button, Empty } from "../look/parts.tsx";
import { type Delay, delays } from "./delay.ts";
import { indexAt } from "./record.ts";
import { CopyCurl, Section, Table } from "./section.tsx";
import type { Entry } from "./shapes.ts";
import type { View } from "./view.ts";
import type { Known, Watch } from "./watch.ts";
import { bytes, clock, count, isSameDay, moment, shown, span } from "./words.ts";

interface Props {
  watch: Watch;
  known: Known;
  view: View;
  selected: string | undefined;
  onSelect: (entry: Entry, isFar: boolean) => void;
}

/** Rows at once. */
const ROWS = 100;
const HEAD = ["When", "Kind", "Who", "About", "Size", "Delay", "Serial"];

export function Entries({ watch, known, view, selected, onSelect }: Props) {
  const { entries } = known.record;
  const [words, setWords] = useState("");
  const [page, setPage] = useState(0);
  const waited = useMemo(() => delays(entries), [entries]);
  const found = useMemo(() => {
    const inView = entries.slice(indexAt(entries, view.from), indexAt(entries, view.to + 1));
    const wanted = words.trim().toLowerCase();
    const all = wanted ? inView.filter((entry) => textOf(entry).includes(wanted)) : inView;
    return all.reverse();
  }, [entries, view.from, view.to, words]);
  const pages = Math.max(Math.ceil(found.length / ROWS), 1);
  const at = Math.min(page, pages - 1);
  useEffect(() => {
    const index = found.findIndex(({ serial }) => serial === selected);
    if (index >= 0) setPage(Math.floor(index / ROWS));
  }, [selected]);
  const rows = found.slice(at * ROWS, (at + 1) * ROWS);
  const days = !isSameDay(rows[0]?.at ?? 0, rows.at(-1)?.at ?? 0);
  return (
    <Section id="entries" title="Entries" beside={<CopyCurl reads={watch.reads} what="the log" />}>
      <div className="entries-tools">
        <label>
          Only with{" "}
          <input
            type="search"
            value={words}
            placeholder="a kind, a client, a turn, a serial"
            onInput={(event) => {
              setWords(event.currentTarget.value);
              setPage(0);
            }}
          />
        </label>
        <span role="status" className="quiet">
          {count(found.length, "entry", "entries")} in the timeline's view, the newest first
        </span>
      </div>
      {rows.length === 0 ? (
        <Empty title="No entry in view">
          <p>Move or widen the timeline, or ask for other words.</p>
        </Empty>
      ) : (
        <Table label="Entries of the log" head={HEAD}>
          {rows.map((entry) => (
            <Row
              key={entry.serial}
              entry={entry}
              delay={waited.get(entry.serial)}
              hasDay={days}
              isSelected={entry.serial === selected}
              onSelect={onSelect}
            />
          ))}
        </Table>
      )}
      {pages > 1 && (
        <nav className="pages" aria-label="Pages of entries">
          <Button disabled={at === 0} onClick={() => setPage(at - 1)}>
            Newer
          </Button>
          <span>
            page {at + 1} of {pages}
          </span>
          <Button disabled={at === pages - 1} onClick={() => setPage(at + 1)}>
            Older
          </Button>
        </nav>
      )}
    </Section>
  );
}

interface RowProps {
  entry: Entry;
  delay: Delay | undefined;
  hasDay: boolean;
  isSelected: boolean;
  onSelect: (entry: Entry, isFar: boolean) => void;
}

function Row({ entry, delay, hasDay, isSelected, onSelect }: RowProps) {
  const { serial, type, at, client, status } = entry;
  return (
    <tr data-selected={isSelected} data-failed={status === "failed"}>
      <td>
        <time dateTime={new Date(at).toISOString()}>{hasDay ? moment(at) : clock(at)}</time>
      </td>
      <td className="kind">{type}</td>
      <td>{client === undefined ? <em>the session</em> : shown(client, 40)}</td>
      <td className="about">{about(entry)}</td>
      <td className="number">{entry.bytes === undefined ? "–" : bytes(entry.bytes)}</td>
      <td className="number" title={delay && `since ${delay.since}`}>
        {delay ? `${delay.ms < 0 ? "−" : ""}${span(delay.ms)}` : "–"}
        {delay && <span className="since"> since {delay.since}</span>}
      </td>
      <td>
        <button
          type="button"
          className="serial"
          aria-pressed={isSelected}
          aria-label={`Choose entry ${serial}`}
          onClick={() => onSelect(entry, true)}
        >
          {serial}
        </button>
      </td>
    </tr>
  );
}

/** The things that an entry is about, in words. */
function about(entry: Entry): string {
  const { message, turn, approval, call, id, name, role, status, seq, updatedAt, at } = entry;
  const parts: string[] = [];
  if (name !== undefined) parts.push(shown(name, 40));
  if (role !== undefined) parts.push(role);
  if (id !== undefined) parts.push(`id ${shown(id, 40)}`);
  if (message !== undefined) parts.push(`message ${message}`);
  if (turn !== undefined) parts.push(`turn ${shown(turn, 40)}`);
  if (approval !== undefined) parts.push(`approval ${shown(approval, 40)}`);
  if (call !== undefined) parts.push(`call ${shown(call, 40)}`);
  if (status !== undefined) parts.push(status);
  if (seq !== undefined) parts.push(count(seq, "append"));
  if (updatedAt !== undefined && updatedAt > at) parts.push(`until ${span(updatedAt - at)} later`);
  if (entry.deletedAt !== undefined) parts.push("deleted");
  return parts.join(" · ");
}

function textOf(entry: Entry): string {
  return `${entry.type} ${entry.client ?? "the session"} ${about(entry)} ${entry.serial}`.toLowerCase();
}
