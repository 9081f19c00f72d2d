// The lanes as a drawing, moved by keys, wheel and hand.

import { Fragment, type KeyboardEvent, type MouseEvent, useRef } from "react";
import { KEYS, useDrag, useWheel, useWidth } from "./gestures.ts";
import { drawnOf, type Lane, marksOf } from "./lanes.ts";
import { MarkDrawing, Stream } from "./marks.tsx";
import { type Gap, indexOf } from "./record.ts";
import type { Entry } from "./shapes.ts";
import { type SetView, ticks, type View, zoomed } from "./view.ts";
import { clock, count, isSameDay, moment, shown } from "./words.ts";

interface DrawingProps {
  lanes: readonly Lane[];
  entries: readonly Entry[];
  gaps: readonly Gap[];
  whole: View;
  view: View;
  onView: SetView;
  selected: string | undefined;
  onSelect: (entry: Entry, isFar: boolean) => void;
}

/** Heights, in pixels. */
const AXIS = 22;
const HEAD = 22;
const MARKS = 15;
const ROW = 18;
const PAD = 8;
/** The width of a mark, with its distance to the next. */
const PLACE = 5;
const TICK = 110;
/** The width of a letter in a turn. */
const LETTER = 7;

export function Drawing(props: DrawingProps) {
  const { lanes, entries, gaps, whole, view, onView, selected, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  useWheel(box, onView, whole);
  const drag = useDrag(width, onView, whole);
  const places = Math.max(Math.floor(width / PLACE), 10);
  const x = (at: number) =>
    Math.min(Math.max(((at - view.from) / (view.to - view.from)) * width, -10), width + 10);
  let top = AXIS;
  const placed = lanes.map((lane) => {
    const y = top;
    top += HEAD + marksHeight(lane) + lane.rows * ROW + PAD;
    return { lane, y };
  });
  const inView = entries.filter(({ at }) => at >= view.from && at <= view.to);
  const keys = (event: KeyboardEvent) => {
    const change = KEYS[event.key];
    if (change === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onView((it) => change(it, whole));
  };
  const choose = (event: MouseEvent<HTMLElement>) => {
    if (drag.isMoved()) return;
    const mark = (event.target as Element).closest<SVGElement>("[data-serial]");
    const entry = entries[indexOf(entries, mark?.dataset.serial ?? "\uffff")];
    if (entry === undefined) return;
    onSelect(entry, false);
    const from = Number(mark?.dataset.from);
    if (from === entry.at) return;
    const around = ((from + entry.at) / 2 - view.from) / (view.to - view.from);
    onView((it) => zoomed(it, 4, around, whole));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group that keys move
    <div
      className="lanes"
      ref={box}
      role="group"
      aria-label="Timeline: arrows move it, plus and minus zoom, Home and End go to its ends"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move it
      tabIndex={0}
      onKeyDown={keys}
      onClick={choose}
      {...drag.handlers}
    >
      <svg
        role="img"
        aria-label={`${count(lanes.length, "lane")} with ${count(inView.length, "entry", "entries")} in view; the table of entries has the same`}
        width={width}
        height={top}
      >
        <defs>
          <pattern id="unread" width="6" height="6" patternUnits="userSpaceOnUse">
            <path d="M0 6L6 0" className="unread-line" />
          </pattern>
        </defs>
        {gaps.map((gap) => (
          <rect
            key={gap.after}
            x={x(gap.from)}
            y={AXIS}
            width={Math.max(x(gap.to) - x(gap.from), 2)}
            height={top - AXIS}
            fill="url(#unread)"
          />
        ))}
        <Axis view={view} width={width} height={top} x={x} />
        {placed.map(({ lane, y }) => (
          <g key={lane.label} transform={`translate(0 ${y})`}>
            <LaneDrawing
              lane={lane}
              view={view}
              width={width}
              places={places}
              x={x}
              selected={selected}
            />
          </g>
        ))}
      </svg>
    </div>
  );
}

interface AxisProps {
  view: View;
  width: number;
  height: number;
  x: (at: number) => number;
}

function Axis({ view, width, height, x }: AxisProps) {
  const times = ticks(view, Math.max(Math.floor(width / TICK), 2));
  const isFine = view.to - view.from < 10_000;
  return (
    <g className="axis">
      {times.map((at, index) => {
        const isNewDay = index === 0 || !isSameDay(at, times[index - 1] ?? at);
        const isLong = isNewDay && !isSameDay(view.from, view.to);
        const words = isLong ? moment(at).replace(/:\d\d\.\d+$/, "") : clock(at);
        return (
          <g key={at}>
            <line x1={x(at)} x2={x(at)} y1={AXIS - 4} y2={height} />
            <text x={x(at) + 3} y={14}>
              {isFine || isLong ? words : words.replace(/\.\d+$/, "")}
            </text>
          </g>
        );
      })}
    </g>
  );
}

interface LaneProps {
  lane: Lane;
  view: View;
  width: number;
  places: number;
  x: (at: number) => number;
  selected: string | undefined;
}

function LaneDrawing({ lane, view, width, places, x, selected }: LaneProps) {
  const inView = ({ from, to }: { from: number; to: number | undefined }) =>
    from <= view.to && (to ?? view.to) >= view.from;
  return (
    <g className="lane">
      <line className="lane-edge" x1={0} x2={width} y1={0.5} y2={0.5} />
      {lane.lines.filter(inView).map(({ connection, from, to, isDropped }) => (
        <g key={connection} className="connection" data-dropped={isDropped}>
          <line x1={x(from)} x2={x(to ?? view.to)} y1={HEAD - 2} y2={HEAD - 2} />
          {to !== undefined && <circle cx={x(to)} cy={HEAD - 2} r={3} />}
          <title>{`connection ${connection}${isDropped ? ", dropped by the session" : ""}`}</title>
        </g>
      ))}
      {drawnOf(lane.turns, view, x).map((turn) => {
        const { id, status, left, width: long } = turn;
        const y = HEAD + marksHeight(lane) + turn.row * ROW;
        const room = Math.min(left + long, width) - Math.max(left, 0) - 8;
        return (
          <g key={id} className="turn" data-status={status}>
            <rect x={left} y={y} width={long} height={ROW - 4} rx={3} />
            {room > 14 && (
              <text x={Math.max(left, 0) + 5} y={y + 11}>
                {fitted(id, status, Math.floor(room / LETTER))}
              </text>
            )}
            <title>{`turn ${shown(id, 60)} (${status})`}</title>
          </g>
        );
      })}
      {lane.marks.map((entries, row) =>
        marksOf(entries, view, places).map((mark) => (
          <Fragment key={mark.entries[0]?.serial}>
            <Stream mark={mark} x={x} from={mark.x * width} y={HEAD + (row + 0.5) * MARKS} />
            <MarkDrawing
              mark={mark}
              x={mark.x * width}
              y={HEAD + (row + 0.5) * MARKS}
              isSelected={mark.entries.some(({ serial }) => serial === selected)}
            />
          </Fragment>
        )),
      )}
      <text className="lane-label" x={6} y={15}>
        {shown(lane.label, Math.max(Math.floor(width / 9), 12))}
      </text>
    </g>
  );
}

function marksHeight({ marks }: Lane): number {
  return Math.max(marks.length, 1) * MARKS;
}

/** As much of a turn's name and status as there is room for; a bad end is a sign at least. */
function fitted(id: string, status: string, letters: number): string {
  const sign = { failed: "✕ ", cancelled: "⊘ " }[status] ?? "";
  const whole = `${sign}${shown(id, 60)} (${status})`;
  if (whole.length <= letters) return whole;
  return letters < 6 ? sign : sign + shown(id, letters - sign.length);
}
