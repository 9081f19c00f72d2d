// The bounds that hold in a deployment (P14); `attached.limits` says which do.

/** Bounds by name. A session may report more than this SDK knows. */
export interface Limits {
  /** UTF-8 bytes of one WebSocket message or frame to the session. */
  frameBytes: number;
  /** Messages in one publish. */
  publishMessages: number;
  [name: string]: number;
}

/** What holds until a session has said otherwise. */
export const DEFAULT_LIMITS: Limits = {
  frameBytes: 256 * 1024,
  publishMessages: 100,
};
