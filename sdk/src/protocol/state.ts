// The shared state (P9.1, P9.2).

import type { Json } from "./json.ts";

/** The tree: an object at its root. */
export type StateTree = { [key: string]: Json };

/** One operation on the tree; `path` is the keys that lead to its place. */
export type StateOp =
  | { op: "set"; path: string[]; value: Json }
  | { op: "remove"; path: string[] }
  | { op: "increment"; path: string[]; by: number }
  | { op: "reset" };

/** The result of an operation, as everybody gets it: an increment as the number it came to. */
export type StateResult =
  | { op: "set"; path: string[]; value: Json }
  | { op: "remove"; path: string[] };

/** Changes the tree: all of it or nothing. */
export interface StateFrame {
  type: "state";
  ops: StateOp[];
  /** The version that the tree must have. */
  ifVersion?: string;
  id?: string;
}

/** The tree changed; a root that is set is the whole tree. */
export interface StateChangeFrame {
  type: "state.change";
  serial: string;
  /** The client that changed it; of several changes that were missed, the last. */
  client: string;
  ops: StateResult[];
}

/** The tree, or a part of it over HTTP. */
export interface SharedState {
  value: StateTree;
  /** The serial of its latest change. */
  version: string;
}
