// The lanes, drawn over time.

import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { Button } from "../look/parts.tsx";
import {
  drawnOf,
  groupOf,
  type Lane,
  lanesOf,
  type Mark,
  marksOf,
  panned,
  ticks,
  type View,
  zoomed,
} from "./lanes.ts";
import type { SetView } from "./opened.tsx";
import { indexOf } from "./record.ts";
import { CopyCurl, Section } from "./section.tsx";
import type { Entry } from "./shapes.ts";
import type { Known, Watch } from "./watch.ts";
import { clock, count, isSameDay, moment, shown, span } from "./words.ts";

interface Props {
  watch: Watch;
  known: Known;
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
      <Drawing {...props} lanes={lanes} />
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

function Drawing({ lanes, ...props }: Props & { lanes: readonly Lane[] }) {
  const { known, whole, view, onView, selected, onSelect } = props;
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
  const { entries } = known.record;
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
        {known.record.gaps.map((gap) => (
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

const KEYS: Readonly<Record<string, (view: View, whole: View) => View>> = {
  ArrowLeft: (view, whole) => panned(view, -0.2, whole),
  ArrowRight: (view, whole) => panned(view, 0.2, whole),
  "+": (view, whole) => zoomed(view, 1.5, 0.5, whole),
  "=": (view, whole) => zoomed(view, 1.5, 0.5, whole),
  "-": (view, whole) => zoomed(view, 1 / 1.5, 0.5, whole),
  Home: (view, whole) => panned(view, Number.MIN_SAFE_INTEGER / 1e6, whole),
  End: (view, whole) => panned(view, Number.MAX_SAFE_INTEGER / 1e6, whole),
  "0": (_, whole) => whole,
};

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
          <MarkDrawing
            key={mark.entries[0]?.serial}
            mark={mark}
            x={mark.x * width}
            y={HEAD + (row + 0.5) * MARKS}
            isSelected={mark.entries.some(({ serial }) => serial === selected)}
          />
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

interface MarkProps {
  mark: Mark;
  x: number;
  y: number;
  isSelected: boolean;
}

function MarkDrawing({ mark, x, y, isSelected }: MarkProps) {
  const [first] = mark.entries;
  if (first === undefined) return null;
  const groups = new Set(mark.entries.map(({ type }) => groupOf(type)));
  const group = groups.size === 1 ? groupOf(first.type) : "mixed";
  const isFailed = mark.entries.some(({ status }) => status === "failed");
  const size = Math.min(2.6 + Math.log2(mark.entries.length + 1) * 1.2, 6.5);
  const words =
    mark.entries.length === 1
      ? `${first.type}, ${clock(first.at)}`
      : `${mark.entries.length} entries from ${clock(first.at)}`;
  return (
    <g
      className="mark"
      data-group={group}
      data-failed={isFailed}
      data-selected={isSelected}
      data-serial={mark.entries.at(-1)?.serial}
      data-from={first.at}
    >
      <path d={SHAPES[group](x, y, size)} />
      {isSelected && <circle className="ring" cx={x} cy={y} r={size + 4} />}
      <title>{words}</title>
    </g>
  );
}

type Shape = (x: number, y: number, r: number) => string;
const circle: Shape = (x, y, r) =>
  `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
const square: Shape = (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
const diamond: Shape = (x, y, r) =>
  `M${x} ${y - r * 1.2}l${r} ${r * 1.2}l${-r} ${r * 1.2}l${-r} ${-r * 1.2}z`;
const triangle: Shape = (x, y, r) => `M${x} ${y - r}l${r} ${2 * r}h${-2 * r}z`;
const bar: Shape = (x, y, r) => `M${x - 1.5} ${y - r}h3v${2 * r}h-3z`;

const SHAPES = {
  message: circle,
  turn: diamond,
  approval: square,
  call: triangle,
  state: bar,
  other: bar,
  mixed: square,
} satisfies Record<string, Shape>;

const KEY: readonly [group: keyof typeof SHAPES, words: string][] = [
  ["message", "message"],
  ["turn", "turn"],
  ["approval", "approval"],
  ["call", "call"],
  ["state", "state"],
  ["mixed", "several kinds"],
];

function Key() {
  return (
    <ul className="key" aria-label="Shapes of the timeline">
      {KEY.map(([group, words]) => (
        <li key={group}>
          <svg width="14" height="14" aria-hidden="true">
            <g className="mark" data-group={group}>
              <path d={SHAPES[group](7, 7, 4)} />
            </g>
          </svg>
          {words}
        </li>
      ))}
      <li>
        <svg width="22" height="14" aria-hidden="true">
          <g className="connection">
            <line x1="0" x2="18" y1="7" y2="7" />
            <circle cx="18" cy="7" r="3" />
          </g>
        </svg>
        a connection and its end
      </li>
      <li>
        <svg width="22" height="14" aria-hidden="true">
          <g className="turn" data-status="active">
            <rect x="0" y="1" width="22" height="12" rx="3" />
          </g>
        </svg>
        a turn
      </li>
    </ul>
  );
}

function useWidth(box: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(320);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

/** Ctrl with the wheel zooms, a wheel to the side moves; any other scrolls the page. */
function useWheel(box: { current: HTMLElement | null }, onView: SetView, whole: View) {
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const turned = (event: WheelEvent) => {
      const isZoom = event.ctrlKey || event.metaKey;
      const side = event.shiftKey ? event.deltaY : event.deltaX;
      if (!isZoom && side === 0) return;
      event.preventDefault();
      const { left, width } = element.getBoundingClientRect();
      const around = (event.clientX - left) / width;
      if (isZoom) onView((it) => zoomed(it, 2 ** (-event.deltaY / 200), around, whole));
      else onView((it) => panned(it, side / width, whole));
    };
    element.addEventListener("wheel", turned, { passive: false });
    return () => element.removeEventListener("wheel", turned);
  }, [box, onView, whole]);
}

/** A drag moves the view; the click that ends it chooses nothing. */
function useDrag(width: number, onView: SetView, whole: View) {
  const held = useRef({ x: 0, isMoved: false });
  return {
    isMoved: () => held.current.isMoved,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        held.current = { x: event.clientX, isMoved: false };
      },
      onPointerMove: (event: PointerEvent<HTMLElement>) => {
        if (event.buttons === 0) return;
        const by = held.current.x - event.clientX;
        if (!held.current.isMoved && Math.abs(by) < 4) return;
        if (!held.current.isMoved) event.currentTarget.setPointerCapture(event.pointerId);
        held.current = { x: event.clientX, isMoved: true };
        onView((it) => panned(it, by / width, whole));
      },
    },
  };
}
