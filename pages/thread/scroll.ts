// Where a reader is in a conversation: at its end, which then stays in sight, or somewhere above,
// where nothing moves.

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** So near to the end is at the end, in CSS pixels: a line or so. */
const NEAR = 32;

interface End {
  scroller: RefObject<HTMLElement | null>;
  content: RefObject<HTMLDivElement | null>;
  isAtEnd: boolean;
  toEnd(): void;
}

/**
 * Keeps the end in sight of a reader who is there. `first` names the first message; another `own`,
 * which is the reader's newest one, takes the reader to the end.
 */
export function useEnd(first: string | undefined, own: string | undefined): End {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const held = useRef({ isAtEnd: true, height: 0, first, own });

  const keep = useCallback(() => {
    const { current: box } = scroller;
    if (box && held.current.isAtEnd) box.scrollTop = box.scrollHeight;
  }, []);

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (!box || !inner) return;
    const look = () => {
      const left = box.scrollHeight - box.scrollTop - box.clientHeight;
      held.current.isAtEnd = left < NEAR;
      setAtEnd(left < NEAR);
    };
    box.addEventListener("scroll", look, { passive: true });
    // A keyboard of a phone, a longer field, an opened part: all of them change the sizes.
    const sizes = new ResizeObserver(keep);
    sizes.observe(box);
    sizes.observe(inner);
    return () => {
      box.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, [keep]);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const was = held.current;
    const isThere = was.isAtEnd || (own !== undefined && own !== was.own);
    // Earlier messages came in above: what was in sight stays in sight.
    if (first !== was.first && !isThere) box.scrollTop += box.scrollHeight - was.height;
    held.current = { isAtEnd: isThere, height: box.scrollHeight, first, own };
    keep();
  });

  const toEnd = useCallback(() => {
    held.current.isAtEnd = true;
    setAtEnd(true);
    keep();
    scroller.current?.focus({ preventScroll: true });
  }, [keep]);

  return { scroller, content, isAtEnd, toEnd };
}
