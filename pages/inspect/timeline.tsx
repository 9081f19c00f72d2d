// The lanes, drawn over time.

import { useEffect, useMemo } from "react";
import { Button } from "../look/parts.tsx";
import { Drawing } from "./drawing.tsx";
import { lanesOf } from "./lanes.ts";
import { Key } from "./marks.tsx";
import { CopyCurl, Section } from "./section.tsx";
import type { Entry } from "./shapes.ts";
import { panned, type SetView, type View, zoomed } from "./view.ts";
import type { Known, Watch } from "./watch.ts";
import { clock, isSameDay, moment, span } from "./words.ts";
import "./timeline.css";

interface Props {
  watch: Watch;
  known: Known;
  whole: View;
  view: View;
  onView: SetView;
  selected: string | undefined;
  onSelect: (entry: Entry, isFar: boolean) => void;
}

/** Entries that the newest are, and the time at least. */
const NEWEST = 50;
const NEWEST_MS = 5000;
/** After a change of the view, before what it lacks is read. */
const STILL_MS = 400;

export function Timeline(props: Props) {
  const { watch, known, whole, view, onView } = props;
  const { record, turns, diagnostics } = known;
  const own = watch.tap.connection;
  const lanes = useMemo(
    () => lanesOf(record.entries, turns, diagnostics, own),
    [record.entries, turns, diagnostics, own],
  );
  const gap = record.gaps.findLast(({ from, to }) => from <= view.to && to >= view.from);
  useFilled(watch, record.gaps.length > 0 ? view : undefined, whole);
  const shownOf = (it: number) => (isSameDay(view.from, view.to) ? clock(it) : moment(it));
  const all = () => onView(() => whole);
  const newest = () => {
    const from = record.entries.at(-NEWEST)?.at ?? whole.from;
    onView(() => ({ from: Math.min(from, whole.to - NEWEST_MS), to: whole.to }));
  };
  return (
    <Section
      id="timeline"
      title="Timeline"
      beside={<CopyCurl reads={watch.reads} what="the log" />}
    >
      <div className="timeline-tools">
        <Button onClick={() => onView((it) => zoomed(it, 2, 0.5, whole))}>Closer</Button>
        <Button onClick={() => onView((it) => zoomed(it, 0.5, 0.5, whole))}>Wider</Button>
        <Button onClick={() => onView((it) => panned(it, -0.5, whole))}>Earlier</Button>
        <Button onClick={() => onView((it) => panned(it, 0.5, whole))}>Later</Button>
        <Button onClick={all}>All</Button>
        <Button onClick={newest}>Newest</Button>
        <span className="quiet">
          {shownOf(view.from)} to {shownOf(view.to)} ({span(view.to - view.from)})
        </span>
      </div>
      {gap !== undefined && (
        <p className="gap">
          The log between {moment(gap.from)} and {moment(gap.to)} has not been read yet.{" "}
          <Button disabled={known.isReading} onClick={() => void watch.fill(gap, "beginning")}>
            Read on from its beginning
          </Button>{" "}
          <Button disabled={known.isReading} onClick={() => void watch.fill(gap, "end")}>
            Read back from its end
          </Button>
        </p>
      )}
      <Drawing {...props} lanes={lanes} entries={record.entries} gaps={record.gaps} />
      <Key />
    </Section>
  );
}

/** Reads a part of a gap that somebody moved or zoomed to. */
function useFilled(watch: Watch, view: View | undefined, whole: View) {
  const from = view?.from;
  const to = view?.to;
  const isAll = view === whole;
  useEffect(() => {
    if (from === undefined || to === undefined || isAll) return;
    const timer = setTimeout(() => {
      const gap = watch.known.record.gaps.findLast((it) => it.from <= to && it.to >= from);
      if (gap === undefined) return;
      const middle = (from + to) / 2;
      const isNearEnd = Math.abs(gap.to - middle) < Math.abs(gap.from - middle);
      void watch.fill(gap, isNearEnd ? "end" : "beginning");
    }, STILL_MS);
    return () => clearTimeout(timer);
  }, [watch, from, to, isAll]);
}
