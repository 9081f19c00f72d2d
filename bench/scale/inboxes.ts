// The inbox of a role: what it is told, and what it holds (docs/scale.md).

import { INBOX_OPEN, INBOX_TELLINGS } from "./inbox-bounds.ts";
import { print, short } from "./table.ts";

/** An approval is told when it is asked and when it is decided. */
const TELLINGS = 2;
/** Rows of one approval: two tellings cost the session a row each, and the inbox four rows. */
const ROWS = 2 + 4;
/** How long an approval waits for a person. */
const WAIT_SECONDS = 10 * 60;
const SHARDS = 16;

function line(approvalsAnHour: number): string[] {
  const told = (approvalsAnHour * TELLINGS) / 3600;
  const waiting = (approvalsAnHour / 3600) * WAIT_SECONDS;
  const percent = (share: number) => `${short(share * 100)} %`;
  return [
    short(approvalsAnHour),
    short(told),
    percent(told / INBOX_TELLINGS),
    short(waiting),
    percent(waiting / INBOX_OPEN),
    percent(Math.max(told / INBOX_TELLINGS, waiting / INBOX_OPEN) / SHARDS),
    `$${short((approvalsAnHour * ROWS) / 1e6)}`,
  ];
}

print([
  [
    "an hour",
    "tellings/s",
    "of one inbox",
    "wait",
    "of its room",
    "a shard of 16",
    "rows, an hour",
  ],
  ...[100, 10_000, 50_000, 500_000].map(line),
]);
