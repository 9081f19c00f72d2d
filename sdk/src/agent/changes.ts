// Changes of the shared state in frames that the session takes (P9.1, P14).

import { bytesOf, type Json, type Limits, type StateOp } from "../protocol/index.ts";

/** Operations of one frame. */
const MOST_OPS = 1_000;
/** Reserved in a frame for everything but the operations. */
const MARGIN_BYTES = 4_096;

/**
 * Operations in as few frames as they fit in: usually one, so that all of them happen or none. A
 * value that is too large for a frame is set part by part; one that has no parts is refused.
 */
export function batchesOf(ops: readonly StateOp[], { frameBytes }: Limits): StateOp[][] {
  const most = frameBytes - MARGIN_BYTES;
  const batches: StateOp[][] = [];
  let room = 0;
  for (const op of ops.flatMap((one) => partsOf(one, most))) {
    const size = sizeOf(op);
    if (size > room || (batches.at(-1)?.length ?? MOST_OPS) >= MOST_OPS) {
      batches.push([]);
      room = most;
    }
    batches.at(-1)?.push(op);
    room -= size;
  }
  return batches;
}

function partsOf(op: StateOp, most: number): StateOp[] {
  if (op.op !== "set" || sizeOf(op) <= most || !isObject(op.value)) return [op];
  const { path, value } = op;
  const parts = Object.entries(value).flatMap(([key, part]) =>
    partsOf({ op: "set", path: [...path, key], value: part }, most),
  );
  return [{ op: "set", path, value: {} }, ...parts];
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In UTF-8, with the comma after it. */
function sizeOf(op: StateOp): number {
  return bytesOf(JSON.stringify(op)) + 1;
}
