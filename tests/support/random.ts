// Chance with a seed: a failing test prints the seed, and the seed makes it fail again.

export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed = Number(process.env.SESSILE_SEED ?? (Math.random() * 2 ** 31) | 0)) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** Mulberry32: small, and good enough to choose where to cut. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

const WORDS = [
  "the",
  "session",
  "outlives",
  "its",
  "connections",
  "and",
  "every",
  "reader",
  "holds",
  "equal",
  "text",
  "naïve",
  "façade",
  "日本語",
  "привет",
  "\u{1f44d}",
  "héllo",
  "a",
  "of",
  "nothing",
];

/** The `index`-th token of a stream: no two neighbours are equal, so a repeat or a gap shows. */
export function token(index: number): string {
  return `${WORDS[index % WORDS.length]}${index} `;
}

export function tokens(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => token(first + index));
}
