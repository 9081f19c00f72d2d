// The bounds that hold in a deployment (P14); `attached.limits` says which do.

/** Bounds by name. A session may report more than this SDK knows. */
export interface Limits {
  /** UTF-8 bytes of one WebSocket message or frame to the session. */
  frameBytes: number;
  /** Messages in one publish. */
  publishMessages: number;
  /** Bytes of one message's data, after all appends. */
  dataBytes: number;
  /** Of a message: how many headers, and their bytes together. */
  headerKeys: number;
  headerBytes: number;
  /** Characters of an id, a ref, a name. */
  nameLength: number;
  /** Frames that go to everybody, from one connection: a second, and at once. */
  framesPerSecond: number;
  framesBurst: number;
  [name: string]: number;
}

/** The limits until a session has said otherwise. */
export const DEFAULT_LIMITS: Limits = {
  frameBytes: 256 * 1024,
  publishMessages: 100,
  dataBytes: 1024 * 1024,
  headerKeys: 32,
  headerBytes: 4096,
  nameLength: 128,
  framesPerSecond: 200,
  framesBurst: 1000,
};
