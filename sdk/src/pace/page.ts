// The page's clock: frames while somebody can see it, and no timers for a pace otherwise.

/** The time, and the frames in which text is shown. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Whether a pace would be seen, and is wanted. */
  isSeen(): boolean;
  /** Calls once: in the next frame, or earlier if the page is hidden. */
  inNextFrame(call: () => void): void;
}

/** The length of a frame where there are none: on a server, in a hidden page. */
const FRAME_MS = 16;

export const PAGE: Clock = {
  now: () => performance.now(),
  isSeen: () =>
    globalThis.document?.visibilityState === "visible" &&
    // A text that grows in steps is the lesser motion.
    !globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches,
  inNextFrame(call) {
    const page = globalThis.document;
    if (page?.visibilityState !== "visible") {
      setTimeout(call, FRAME_MS);
      return;
    }
    // A page hidden before its next frame gets none until it is visible again.
    const once = () => {
      cancelAnimationFrame(frame);
      page.removeEventListener("visibilitychange", once);
      call();
    };
    const frame = requestAnimationFrame(once);
    page.addEventListener("visibilitychange", once);
  },
};
