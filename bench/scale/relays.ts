// A session with 100 000 readers, through a tree of relays: how late each token is, beside a
// reader of a small session (docs/scale.md).

import { at, chance, print, short } from "./table.ts";

const READERS = 100_000;
const TOKENS = 100_000;
/** Of P5.4: the usual window, its rise with the readers, and its end. */
const WINDOW_MS = 40;
const READERS_A_MS = 25;
const WINDOW_MS_MOST = 500;
/** A frame to one reader takes an object so long (docs/decisions/0003). */
const SEND_MS = 0.034;
/** The middle of the ways: from one object to another, and from an object to a reader. */
const HOP_MS = 30;
const LAST_HOP_MS = 30;

const random = chance();

/** A way through a network: half take longer than the middle, and few much longer. */
function way(middle: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return middle * Math.exp(0.5 * normal);
}

const windowOf = (readers: number): number =>
  Math.min(WINDOW_MS_MOST, Math.max(WINDOW_MS, readers / READERS_A_MS));

/** The wait of a token at one object: the rest of a window, and those who are sent it earlier. */
function wait(readers: number): number {
  return random() * windowOf(readers) + random() * readers * SEND_MS;
}

/** The share of its time for which an object sends. */
function load(readers: number): number {
  return (readers * SEND_MS) / windowOf(readers);
}

/** Delays of tokens, by the readers that each object of the way has. */
function delays(levels: number[]): number[] {
  return Array.from({ length: TOKENS }, () => {
    let ms = way(LAST_HOP_MS);
    for (const [level, readers] of levels.entries()) {
      ms += wait(readers) + (level > 0 ? way(HOP_MS) : 0);
    }
    return ms;
  });
}

const alone = at(0.5, delays([1]));

function line(name: string, levels: number[]): string[] {
  const found = delays(levels);
  const objects = levels.slice(0, -1).reduce(
    ([all, each], readers) => {
      return [all + each * readers, each * readers] as [number, number];
    },
    [1, 1] as [number, number],
  )[0];
  const last = levels.at(-1) ?? 1;
  return [
    name,
    short(objects),
    `${Math.round(windowOf(last))} ms`,
    `${short(Math.max(...levels.map(load)) * 100)} %`,
    short(at(0.5, found) / alone),
    short(at(0.99, found) / alone),
  ];
}

print([
  ["", "objects", "window", "load", "half", "99th"],
  line("a reader alone", [1]),
  line("1 000 readers, one object", [1_000]),
  line("10 000 readers, one object", [10_000]),
  line("100 000 readers, 10 relays", [10, READERS / 10]),
  line("100 000 readers, 20 relays", [20, READERS / 20]),
  line("100 000 readers, 100 relays", [100, READERS / 100]),
  line("100 000 readers, 400 relays", [400, READERS / 400]),
  line("100 000 readers, 10 relays of 10 relays", [10, 10, READERS / 100]),
]);
