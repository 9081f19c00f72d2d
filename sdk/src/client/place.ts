// Messages in the log's order: serials compare as text (P1.3).

import type { Message } from "../protocol/index.ts";

/** Where a message is, or, as `-1 - index`, where it belongs. */
export function placeIn(list: readonly Message[], serial: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = list[middle]?.serial ?? "";
    if (at === serial) return middle;
    if (at < serial) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}
