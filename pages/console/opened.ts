// Sessions that were opened by their id and are in nobody's inbox here: remembered by this tab, as
// its token is.

import { useCallback, useState } from "react";

const KEPT = "sessile-console-opened";
const MOST = 50;

/** A session that was opened by its id. */
export interface Opened {
  id: string;
  title?: string | undefined;
  /** When it was opened last, in milliseconds. */
  at: number;
}

/** The sessions, the latest first; keeping one, and forgetting it. */
export function useOpened() {
  const [all, setAll] = useState(read);
  const change = useCallback((next: (all: readonly Opened[]) => Opened[]) => {
    setAll((was) => {
      const now = next(was);
      try {
        sessionStorage.setItem(KEPT, JSON.stringify(now));
      } catch {
        // Then it is known for as long as the page is open.
      }
      return now;
    });
  }, []);
  const keep = useCallback(
    (id: string, title?: string) =>
      change((was) => {
        const held = was.find((it) => it.id === id);
        const others = was.filter((it) => it !== held);
        return [{ id, title: title ?? held?.title, at: Date.now() }, ...others].slice(0, MOST);
      }),
    [change],
  );
  const forget = useCallback(
    (id: string) => change((was) => was.filter((it) => it.id !== id)),
    [change],
  );
  return { all, keep, forget };
}

function read(): readonly Opened[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((it) => typeof it?.id === "string") : [];
  } catch {
    return [];
  }
}
