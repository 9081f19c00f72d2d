// A test waits for what a client shows, and never for time.

import { TestingError } from "./errors.ts";

/** How long by itself, in milliseconds. */
const WAIT_MS = 10_000;
/** The length shown of what there was instead. */
const SHOWN_LENGTH = 2_000;

/** A session or an inbox of the SDK, or any other store of such a kind. */
export interface Shown<T> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
}

/**
 * Waits until what a client shows is so, 10 s unless told, and resolves to it. Looks at every
 * change. Throws a {@link TestingError} with `timeout` that says what it showed instead.
 */
export function until<T>(
  shown: Shown<T>,
  isSo: (snapshot: T) => boolean,
  ms = WAIT_MS,
): Promise<T> {
  let end = () => {};
  const found = new Promise<T>((resolve, reject) => {
    const look = () => {
      try {
        const snapshot = shown.getSnapshot();
        if (isSo(snapshot)) resolve(snapshot);
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(() => {
      const last = JSON.stringify(shown.getSnapshot())?.slice(0, SHOWN_LENGTH);
      reject(new TestingError("timeout", `not so within ${ms} ms; it shows ${last}`));
    }, ms);
    const leave = shown.subscribe(look);
    end = () => {
      clearTimeout(timer);
      leave();
    };
    look();
  });
  return found.finally(end);
}
