// The moments at which a reader of a session has something to look at.

import type { Session } from "../client/session.ts";
import { SessileError } from "../protocol/index.ts";

interface Looked {
  /** Called to have it look again. */
  looks: Set<() => void>;
  /** Texts that come by their time. */
  texts: { readonly isReady: boolean; due: () => void };
  signal: AbortSignal | undefined;
}

/** One of these moments. */
interface Moment {
  /** Whether the session may have changed, and not only a text is due. */
  isNew: boolean;
  /** Whether the connection was never lost since the one before. */
  isLive: boolean;
}

/**
 * Yields once immediately, then after each change of the session, and when a text is due, until
 * aborted.
 */
export async function* changesOf(
  session: Session,
  { looks, texts, signal }: Looked,
): AsyncGenerator<Moment> {
  let isNew = true;
  let isLive = false;
  let wake = () => {};
  const look = () => {
    isNew = true;
    wake();
  };
  texts.due = () => wake();
  const end = session.subscribe(look);
  looks.add(look);
  signal?.addEventListener("abort", look, { once: true });
  try {
    while (!signal?.aborted) {
      const { state, error } = session.connection;
      if (state === "closed") throw error ?? new SessileError("session-closed", "it was closed");
      const isConnected = state === "connected";
      if (!isConnected) isLive = false;
      // A replay is incomplete until the session has caught up.
      if (isNew && isConnected) {
        isNew = false;
        yield { isNew: true, isLive };
        isLive = true;
      } else if (texts.isReady) {
        yield { isNew: false, isLive };
      } else {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    }
  } finally {
    end();
    looks.delete(look);
    signal?.removeEventListener("abort", look);
  }
}
