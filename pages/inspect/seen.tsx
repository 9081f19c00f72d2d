// A connection and a moment: what it had been sent by then.

import { memo, useMemo, useState } from "react";
import { Button, Empty } from "../look/parts.tsx";
import { indexOf } from "./record.ts";
import { Rule, Section } from "./section.tsx";
import { labelOf, type Reader, seenBy } from "./seen.ts";
import type { Known, Watch } from "./watch.ts";

/** Readers to choose from. */
const READERS = 300;

interface Props {
  watch: Watch;
  known: Known;
  selected: string | undefined;
}

export const Seen = memo(({ watch, known, selected }: Props) => {
  const { diagnostics, record } = known;
  const own = watch.tap.connection;
  const readers = useMemo(() => {
    const open = diagnostics?.connections.filter(({ connection }) => connection !== own) ?? [];
    const all: Reader[] = [...(diagnostics?.traces.gone ?? []), ...open];
    const read = all.filter(({ kind }) => kind === "socket" || kind === "events");
    return read.slice(-READERS).reverse();
  }, [diagnostics, own]);
  const [chosen, setChosen] = useState<string>();
  const [time, setTime] = useState<number>();
  const reader = readers.find(({ connection }) => connection === chosen) ?? readers[0];
  const at = time ?? Math.round(watch.now());
  const entry = record.entries[indexOf(record.entries, selected ?? "")];
  const isEntry = selected !== undefined && entry?.serial === selected;
  return (
    <Section id="seen" title="What a connection had seen">
      {reader === undefined ? (
        <Empty title="No reader is known">
          <p>Connections are remembered since the session's object woke: none has read since.</p>
        </Empty>
      ) : (
        <>
          <div className="seen-tools">
            <label>
              Connection{" "}
              <select
                value={reader.connection}
                onChange={(event) => setChosen(event.currentTarget.value)}
              >
                {readers.map((it) => (
                  <option key={it.connection} value={it.connection}>
                    {labelOf(it, watch.now())}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Moment{" "}
              <input
                type="datetime-local"
                step="0.001"
                value={localTime(at)}
                onChange={(event) => {
                  const chosenAt = new Date(event.currentTarget.value).getTime();
                  if (!Number.isNaN(chosenAt)) setTime(chosenAt);
                }}
              />
            </label>
            <Button disabled={!isEntry} onClick={() => entry && setTime(entry.at)}>
              That of the chosen entry
            </Button>
            <Button disabled={time === undefined} onClick={() => setTime(undefined)}>
              Now
            </Button>
          </div>
          <Answer reader={reader} at={at} known={known} />
        </>
      )}
    </Section>
  );
});

function Answer({ reader, at, known }: { reader: Reader; at: number; known: Known }) {
  const { known: said, unknown } = seenBy(reader, at, known.record.entries);
  return (
    <div className="seen-answer">
      <div>
        <h3>Known</h3>
        <ul>
          {said.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </div>
      <div>
        <h3>Not known</h3>
        <ul>
          {unknown.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </div>
      <p className="quiet">
        Connections and their replays are kept in memory since the object woke <Rule rule="P11.4" />
        ; a reader is sent everything in the log's order <Rule rule="P3.7" />.
      </p>
    </div>
  );
}

/** A time as its input takes it, in the zone of this machine. */
function localTime(at: number): string {
  const zone = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - zone).toISOString().slice(0, -1);
}
