// A month of very many sessions: what there is of each thing, and the bill (docs/scale.md). The
// figures of one answer are those of docs/costs.md.

import { print, short } from "./table.ts";

const ANSWERS_A_SESSION = 10;
const ROWS = 59 + 3 + 25 / ANSWERS_A_SESSION + 4;
const REQUESTS = 250 / 20 + 5.2;
const AWAKE_SECONDS = 15 + 3;
const KILOBYTES = 3;
const MONTH_SECONDS = 30 * 24 * 60 * 60;
/** The busiest moment beside the mean of the month: days, hours, time zones. */
const PEAK = 4;
/** Two devices, each with the session's page open for half an hour in the month. */
const SOCKET_SECONDS = 2 * 30 * 60;
/** A client has ten sessions a month, and one inbox. */
const SESSIONS_A_CLIENT = 10;

function beyond(amount: number, included: number, price: number): number {
  return Math.max(0, amount - included) * price;
}

function month(sessions: number): string[] {
  const answers = sessions * ANSWERS_A_SESSION;
  const atOnce = (seconds: number, each: number) => (each * seconds * PEAK) / MONTH_SECONDS;
  const bill = [
    5,
    beyond(answers * ROWS, 50e6, 1 / 1e6),
    beyond(answers * REQUESTS, 1e6, 0.15 / 1e6),
    beyond(answers * AWAKE_SECONDS * 0.128, 400e3, 12.5 / 1e6),
    beyond((answers * KILOBYTES) / 1e6, 5, 0.2),
  ];
  const dollars = bill.reduce((sum, part) => sum + part, 0);
  return [
    short(sessions),
    short(sessions + sessions / SESSIONS_A_CLIENT),
    short(atOnce(AWAKE_SECONDS, answers)),
    short(atOnce(SOCKET_SECONDS, sessions)),
    short(answers * ROWS),
    short((answers * ROWS * PEAK) / MONTH_SECONDS),
    `${short((answers * KILOBYTES) / 1e6)} GB`,
    `$${short(dollars)}`,
    `$${short((dollars / sessions) * 1000)}`,
  ];
}

print([
  ["sessions", "objects", "awake", "sockets", "rows", "rows/s", "storage", "bill", "a thousand"],
  ...[1e3, 1e6, 1e8].map(month),
]);
