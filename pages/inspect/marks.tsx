// Marks of entries, and the key to their shapes.

import { groupOf, type Mark } from "./lanes.ts";
import { clock } from "./words.ts";

interface MarkProps {
  mark: Mark;
  x: number;
  y: number;
  isSelected: boolean;
}

export function MarkDrawing({ mark, x, y, isSelected }: MarkProps) {
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

interface StreamProps {
  mark: Mark;
  /** Where it stands. */
  from: number;
  x: (at: number) => number;
  y: number;
}

/** The time in which a message grew, from its mark on. */
export function Stream({ mark, from, x, y }: StreamProps) {
  const [entry] = mark.entries;
  if (mark.entries.length > 1 || entry?.seq === undefined) return null;
  const to = x(entry.updatedAt ?? entry.at);
  return to > from ? <line className="stream" x1={from} x2={to} y1={y} y2={y} /> : null;
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

export function Key() {
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
