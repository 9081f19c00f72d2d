// The tokens of the agents' texts, and the fate of each on each device.
//
// The truth is the agent's: it reports a text once the session has acknowledged it, with the place
// in the log where the session put it. A device reports what it shows, and how far it has read the
// log. So for every text that the agent reported:
//
// - delivered: tokens that the device shows in their place;
// - lost: tokens that were acknowledged, whose place the device has read, and that it does not show
//   in the `SETTLE_REPORTS` reports after that, in which a text that is shown at an even pace comes
//   to its end, however slow the device is: time alone would count what a busy one is about to show;
// - repeated: tokens that the device shows once more than they were said.
//
// Tokens on their way, to a device that is offline for example, are neither: their place was not
// read.

/** The text of a message, as far as the session has acknowledged it. */
export interface Acknowledged {
  serial: string;
  /** The whole text up to here. */
  text: string;
  /** The place in the log of its last part. */
  position: string;
  /** Whether this is all of it. */
  isWhole?: boolean;
}

export interface Counts {
  delivered: number;
  lost: number;
  repeated: number;
}

export const NONE: Counts = { delivered: 0, lost: 0, repeated: 0 };

/** How many reports after its place was read a token may be missing: two seconds of them. */
export const SETTLE_REPORTS = 8;

/** A token, near enough: what people read as one piece. The tokens of a text add up to it. */
const TOKEN = /\s*\S{1,6}|\s+$/gu;

export function tokensIn(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** As many tokens as tell one place in a text from another. */
const RUN = 4;

/**
 * Compares a shown text with the one that was said, token by token. At a difference it looks for
 * the nearest place at which both go on alike: forward in what was said (tokens are missing), or
 * forward in what is shown (tokens are there twice). `isWhole`: nothing more was said, so that
 * what is shown beyond it is a repetition; otherwise it is news that the agent has yet to hear.
 */
export function compare(saidText: string, shownText: string, isWhole = false): Counts {
  const said = tokensIn(saidText);
  // The usual case, and the only one in which the last token may be cut anywhere.
  if (shownText.startsWith(saidText) && !isWhole) return { ...NONE, delivered: said.length };
  const shown = tokensIn(shownText);
  const counts = { ...NONE };
  let at = 0;
  let seen = 0;
  while (seen < shown.length && at < said.length) {
    if (said[at] === shown[seen]) {
      counts.delivered += 1;
      at += 1;
      seen += 1;
      continue;
    }
    // The last token of a text that grows is shown in part.
    if (seen === shown.length - 1 && said[at]?.startsWith(shown[seen] ?? "")) {
      seen += 1;
      break;
    }
    const missing = nextAlike(said, at, shown, seen);
    const extra = nextAlike(shown, seen, said, at);
    if (missing <= extra) {
      counts.lost += missing;
      at += missing;
    } else {
      counts.repeated += extra;
      seen += extra;
    }
  }
  if (isWhole) counts.repeated += shown.length - seen;
  counts.lost += said.length - at;
  return counts;
}

/** How many tokens of `one` are passed until it goes on as the other does at `place`. */
function nextAlike(
  one: readonly string[],
  from: number,
  other: readonly string[],
  place: number,
): number {
  const run = Math.min(RUN, other.length - place);
  for (let passed = 1; from + passed < one.length; passed += 1) {
    const start = from + passed;
    const length = Math.min(run, one.length - start);
    let same = 0;
    while (same < length && one[start + same] === other[place + same]) same += 1;
    if (same === length) return passed;
  }
  return one.length - from;
}

/** One device: the texts that it shows. */
interface Shown {
  readonly texts: Map<string, string>;
  position: string;
  isCaughtUp: boolean;
  /** The first message that it holds; `""` if it holds all. */
  of: string;
  /** How often it has reported. */
  reports: number;
  /** The report that told a place which none before had told, by place: the last few. */
  readonly reached: { position: string; report: number }[];
}

/** A report of a device. */
export interface Report {
  texts: readonly { serial: string; text: string }[];
  position: string;
  isCaughtUp: boolean;
  of: string;
}

const REACHED_KEPT = 200;

export class Tally {
  readonly #said = new Map<string, Acknowledged>();
  /** The tokens of each text, counted once. */
  readonly #lengths = new Map<string, { text: string; length: number }>();
  readonly #devices = new Map<string, Shown>();
  /** Tokens of texts that are whole on a device: they need not be compared again. */
  readonly #settled = new Map<string, { text: string; counts: Counts }>();

  /** The agent reports. */
  acknowledged(report: Acknowledged): void {
    const before = this.#said.get(report.serial);
    // One that was resent may be told after a later one.
    if (before && before.text.length > report.text.length) return;
    this.#said.set(report.serial, report);
  }

  /** A device was loaded anew, and will tell all that it shows. */
  begun(device: string): void {
    const nothing = { position: "", isCaughtUp: false, of: "", reports: 0 };
    this.#devices.set(device, { ...nothing, texts: new Map(), reached: [] });
  }

  shows(device: string, { texts, position, isCaughtUp, of }: Report): void {
    if (!this.#devices.has(device)) this.begun(device);
    const shown = this.#devices.get(device);
    if (!shown) return;
    for (const { serial, text } of texts) shown.texts.set(serial, text);
    shown.reports += 1;
    if (position !== shown.position) {
      shown.reached.push({ position, report: shown.reports });
      if (shown.reached.length > REACHED_KEPT) shown.reached.shift();
    }
    Object.assign(shown, { position, isCaughtUp, of });
  }

  /** How many tokens the session has acknowledged. */
  get said(): number {
    let sum = 0;
    for (const { serial, text } of this.#said.values()) {
      let counted = this.#lengths.get(serial);
      if (counted?.text !== text) {
        counted = { text, length: tokensIn(text).length };
        this.#lengths.set(serial, counted);
      }
      sum += counted.length;
    }
    return sum;
  }

  /** The tokens of a device, by its fate. */
  counts(device: string): Counts {
    const shown = this.#devices.get(device);
    const sums = { ...NONE };
    if (!shown) return sums;
    for (const said of this.#said.values()) {
      const { delivered, lost, repeated } = this.#of(device, said, shown);
      sums.delivered += delivered;
      sums.lost += lost;
      sums.repeated += repeated;
    }
    return sums;
  }

  #of(device: string, said: Acknowledged, shown: Shown): Counts {
    const text = shown.texts.get(said.serial) ?? "";
    // Before the first message that it holds there are others, which nobody asked it to show.
    if (!text && said.serial < shown.of) return NONE;
    const key = `${device} ${said.serial}`;
    const kept = this.#settled.get(key);
    if (kept && kept.text === text && text === said.text) return kept.counts;
    const counts = compare(said.text, text, said.isWhole);
    if (text === said.text) this.#settled.set(key, { text, counts });
    if (!hasSettled(shown, said.position)) counts.lost = 0;
    return counts;
  }
}

/** Whether a device read a place so long ago that what is there must be on show. */
function hasSettled(shown: Shown, position: string): boolean {
  if (!shown.isCaughtUp || shown.position < position) return false;
  const reached = shown.reached.find((it) => it.position >= position);
  return reached === undefined || shown.reports - reached.report >= SETTLE_REPORTS;
}
