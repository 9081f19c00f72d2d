// The part of time that the timeline shows, and how it moves.

/** A part of time that is shown. */
export interface View {
  from: number;
  to: number;
}

/** Changes what is shown, from what is shown now. */
export type SetView = (change: (now: View) => View) => void;

/** The shortest view: below it, nothing becomes clearer. */
const VIEW_MIN_MS = 20;

/** A view that is nearer by a factor, and keeps a point of it (0 to 1) where it is. */
export function zoomed(view: View, factor: number, around: number, whole: View): View {
  const width = Math.max((view.to - view.from) / factor, VIEW_MIN_MS);
  const fixed = view.from + (view.to - view.from) * around;
  return kept({ from: fixed - width * around, to: fixed + width * (1 - around) }, whole);
}

/** A view that is moved by a part of its width. */
export function panned(view: View, by: number, whole: View): View {
  const step = (view.to - view.from) * by;
  return kept({ from: view.from + step, to: view.to + step }, whole);
}

/** A view within the whole, as wide as it was where there is room. */
export function kept(view: View, whole: View): View {
  const width = Math.min(view.to - view.from, whole.to - whole.from);
  const from = Math.min(Math.max(view.from, whole.from), whole.to - width);
  return { from, to: from + width };
}

/** Round times for the axis, so many at most. */
export function ticks(view: View, most: number): number[] {
  const width = view.to - view.from;
  const step = STEPS.find((it) => width / it <= most) ?? Math.ceil(width / most / DAY) * DAY;
  // The zone's own midnight, not that of UTC.
  const zone = new Date(view.from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((view.from - zone) / step) * step + zone;
  const found: number[] = [];
  for (let at = first; at <= view.to && found.length < most + 1; at += step) found.push(at);
  return found;
}

const DAY = 86_400_000;
const STEPS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1000,
  2000,
  5000,
  10_000,
  20_000,
  30_000,
  60_000,
  120_000,
  300_000,
  600_000,
  1_200_000,
  1_800_000,
  3_600_000,
  7_200_000,
  14_400_000,
  21_600_000,
  43_200_000,
  DAY,
];
