// How keys, wheel and hand move the timeline.

import { type PointerEvent, useEffect, useRef, useState } from "react";
import { panned, type SetView, type View, zoomed } from "./view.ts";

/** The keys that move it. */
export const KEYS: Readonly<Record<string, (view: View, whole: View) => View>> = {
  ArrowLeft: (view, whole) => panned(view, -0.2, whole),
  ArrowRight: (view, whole) => panned(view, 0.2, whole),
  "+": (view, whole) => zoomed(view, 1.5, 0.5, whole),
  "=": (view, whole) => zoomed(view, 1.5, 0.5, whole),
  "-": (view, whole) => zoomed(view, 1 / 1.5, 0.5, whole),
  Home: (view, whole) => panned(view, Number.MIN_SAFE_INTEGER / 1e6, whole),
  End: (view, whole) => panned(view, Number.MAX_SAFE_INTEGER / 1e6, whole),
  "0": (_, whole) => whole,
};

export function useWidth(box: { current: HTMLElement | null }): number {
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
export function useWheel(box: { current: HTMLElement | null }, onView: SetView, whole: View) {
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
export function useDrag(width: number, onView: SetView, whole: View) {
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
