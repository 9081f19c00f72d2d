// The session that the address names: `#session=…`, so that each can be linked to.

import { useSyncExternalStore } from "react";

/** The form of a session's id (P1.1). */
const ID = /^[A-Za-z0-9_.:~-]{1,128}$/;

/** Whether a session can be called that. */
export function isSessionId(id: string): boolean {
  return ID.test(id);
}

/** The address of a session in this page. */
export function hrefOf(id: string): string {
  return `#session=${encodeURIComponent(id)}`;
}

/** The address of the list alone. */
export const LIST = "#";

/** The id in the address, whether or not a session can be called that. */
export function usePlace(): string | undefined {
  return useSyncExternalStore(subscribe, named);
}

let isFirst = true;
addEventListener("hashchange", () => {
  isFirst = false;
});

/** Whether the person has gone from one place to another since the page was loaded. */
export function hasMoved(): boolean {
  return !isFirst;
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

function named(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get("session") ?? undefined;
}
