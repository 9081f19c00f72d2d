// Times, told as people tell them.

import { useSyncExternalStore } from "react";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const TICK_MS = 15_000;

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, often enough for words such as `2 min`. */
function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** How long ago something was, as part of a sentence. */
export function Ago({ at }: { at: number }) {
  const span = spanOf(useNow() - at);
  return <When at={at} text={span ? `${span} ago` : "just now"} />;
}

/** The same where there is little room. */
export function Age({ at }: { at: number }) {
  return <When at={at} text={spanOf(useNow() - at) ?? "now"} />;
}

/** How soon something is, as part of a sentence. */
export function Until({ at }: { at: number }) {
  const span = spanOf(at - useNow());
  return <When at={at} text={span ? `in ${span}` : "any moment"} />;
}

function When({ at, text }: { at: number; text: string }) {
  const date = new Date(at);
  // A time beyond what a date can be is shown as the number that it is.
  if (Number.isNaN(date.getTime())) return <span>{at}</span>;
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {text}
    </time>
  );
}

function spanOf(ms: number): string | undefined {
  if (ms < MINUTE_MS) return undefined;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} d`;
}
