// The pace of frames: below the session's rates (P14), with appends gathered.

import type { ClientFrame, Limits } from "../protocol/index.ts";

/** The pause between two appends when nothing follows: fewer frames, and nobody sees it (P5.4). */
const APPENDS_MS = 5;
/** The share of the session's rate that is used: clocks and networks are never even. */
const SHARE = 0.8;

export class Pace {
  /** Frames that may go at once; a connection's whole bound, until the session tells it. */
  #left = Infinity;
  #at = 0;
  #appendAt = 0;

  /** How long a frame for everybody must wait. */
  frame({ framesPerSecond, framesBurst }: Limits): number {
    const perSecond = framesPerSecond * SHARE;
    const now = Date.now();
    const more = ((now - this.#at) / 1000) * perSecond;
    this.#left = Math.min(framesBurst * SHARE, this.#left + more);
    this.#at = now;
    return this.#left >= 1 ? 0 : ((1 - this.#left) * 1000) / perSecond;
  }

  /** How long an append waits for more text. */
  append(): number {
    return this.#appendAt - Date.now();
  }

  /** A frame is sent. */
  spend({ type }: ClientFrame): void {
    if (type === "append") this.#appendAt = Date.now() + APPENDS_MS;
    else this.#left -= 1;
  }
}
