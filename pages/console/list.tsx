// The list of sessions. Only the lines that are seen are drawn, and the one that the keyboard is
// on, so that thousands cost what a screenful does.

import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Button } from "../look/parts.tsx";
import { areKeysOn, isFree } from "./keys.ts";
import { Line } from "./line.tsx";
import type { Row } from "./rows.ts";

/** The height of a line: the style sheet has it too. */
const LINE_REM = 4.5;
/** Lines that are drawn beyond what is seen, above and below. */
const BEYOND = 6;

interface Props {
  rows: readonly Row[];
  /** The session that is open. */
  selected: string | undefined;
  me: string;
  more: (() => void) | undefined;
}

/** The lines, by mouse and by keyboard. */
export function SessionList({ rows, selected, me, more }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(selected);
  const [wantsFocus, setWantsFocus] = useState(false);
  const { first, last, linePx } = useWindow(scroller, rows.length);
  const was = useRef(selected);
  useEffect(() => {
    if (selected !== undefined) setActive(selected);
    // Back from a session.
    else if (was.current !== undefined) setWantsFocus(true);
    was.current = selected;
  }, [selected]);
  const held = rows.findIndex(({ id }) => id === active);
  const at = Math.max(held, 0);

  const go = (to: number) => {
    const row = rows[Math.min(Math.max(to, 0), rows.length - 1)];
    const box = scroller.current;
    if (!row || !box) return;
    const top = rows.indexOf(row) * linePx;
    if (top < box.scrollTop) box.scrollTop = top;
    const bottom = top + linePx - box.clientHeight;
    if (box.scrollTop < bottom) box.scrollTop = bottom;
    setActive(row.id);
    setWantsFocus(true);
  };
  useLayoutEffect(() => {
    if (!wantsFocus) return;
    setWantsFocus(false);
    scroller.current?.querySelector<HTMLElement>("[data-home]")?.focus({ preventScroll: true });
  }, [wantsFocus]);
  useMoves(scroller, at, rows.length, go);

  const shown = rows.slice(first, last).map((_, index) => first + index);
  if (rows.length > 0 && (at < first || last <= at)) shown.push(at);
  return (
    <div className="list" ref={scroller}>
      <ul aria-label="Sessions" style={{ height: `${rows.length * LINE_REM}rem` }}>
        {shown
          .sort((one, other) => one - other)
          .map((index) => {
            const row = rows[index] as Row;
            return (
              <li
                key={row.id}
                style={{ top: `${index * LINE_REM}rem` }}
                aria-posinset={index + 1}
                aria-setsize={more ? -1 : rows.length}
              >
                <Line row={row} me={me} isOpen={row.id === selected} isActive={index === at} />
              </li>
            );
          })}
      </ul>
      {more && (
        <Button className="list-more" onClick={more}>
          Load more sessions
        </Button>
      )}
    </div>
  );
}

/** The part of the list that is seen, by line. */
function useWindow(scroller: RefObject<HTMLDivElement | null>, count: number) {
  const [seen, setSeen] = useState({ top: 0, height: 800, linePx: 72 });
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => {
      const linePx =
        LINE_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const now = { top: box.scrollTop, height: box.clientHeight, linePx };
      setSeen((was) =>
        was.top === now.top && was.height === now.height && was.linePx === linePx ? was : now,
      );
    };
    look();
    box.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(box);
    return () => {
      box.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [scroller]);
  const { top, height, linePx } = seen;
  const first = Math.max(0, Math.min(Math.floor(top / linePx), count - 1) - BEYOND);
  const last = Math.min(count, Math.ceil((top + height) / linePx) + BEYOND);
  return { first, last, linePx };
}

/** The keys that move in the list: `j` and `k` from anywhere, the others from within. */
function useMoves(
  scroller: RefObject<HTMLDivElement | null>,
  at: number,
  count: number,
  go: (to: number) => void,
): void {
  const latest = useRef({ at, count, go });
  latest.current = { at, count, go };
  useEffect(() => {
    const take = (event: KeyboardEvent) => {
      const box = scroller.current;
      if (!box?.checkVisibility() || !isFree(event)) return;
      const isWithin = box.contains(event.target as Node | null);
      const { at, count, go } = latest.current;
      const to = target(event.key, isWithin, at, count);
      if (to === undefined) return;
      event.preventDefault();
      // From elsewhere the first press only comes here.
      go(isWithin || event.target === document.body ? to : at);
    };
    addEventListener("keydown", take);
    return () => removeEventListener("keydown", take);
  }, [scroller]);
}

function target(key: string, isWithin: boolean, at: number, count: number): number | undefined {
  if (areKeysOn()) {
    if (key === "j") return at + 1;
    if (key === "k") return at - 1;
  }
  if (!isWithin) return undefined;
  if (key === "ArrowDown") return at + 1;
  if (key === "ArrowUp") return at - 1;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : undefined;
}
