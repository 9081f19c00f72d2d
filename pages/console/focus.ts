// The element that has the focus may go, since others act as well: then the focus goes on to the
// next approval that waits, or to the head of the session, and is never lost.

import { type RefObject, useEffect } from "react";

/** Keeps the focus within a place, once it is there. */
export function useFocusKept(place: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const root = place.current;
    if (!root) return;
    let last: Element | undefined;
    let wasAsking = false;
    const look = ({ target }: Event) => {
      last = target instanceof Element && root.contains(target) ? target : undefined;
      wasAsking = last?.closest(".asking") != null;
    };
    const changes = new MutationObserver(() => {
      if (!last || last.isConnected || document.activeElement !== document.body) return;
      const next = wasAsking && root.querySelector<HTMLElement>(".asking");
      (next || root.querySelector<HTMLElement>("[data-home]"))?.focus();
    });
    document.addEventListener("focusin", look);
    changes.observe(root, { childList: true, subtree: true });
    return () => {
      document.removeEventListener("focusin", look);
      changes.disconnect();
    };
  }, [place]);
}
