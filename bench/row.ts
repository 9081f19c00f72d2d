// What the benchmark prints, and the little statistics that it needs.

/** One line of the table and one element of the JSON. */
export interface Row {
  name: string;
  /** `ours` over `theirs`, whichever way is better. */
  ratio: number;
  aim: string;
  ok: boolean;
  ours: number;
  /** The bare object's figure; the bound itself where there is nothing to compare with. */
  theirs: number;
  unit: string;
}

/** A group of rows that are measured together. */
export interface Family {
  name: string;
  run(bench: Bench): Promise<Row[]>;
}

/** What a family may use. */
export interface Bench {
  quick: boolean;
  log(line: string): void;
}

export function median(values: number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the two nearest ranks. */
export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

/** A row where more is better: `ours` should be at least `aim` times `theirs`. */
export function atLeast(
  name: string,
  unit: string,
  ours: number,
  theirs: number,
  aim: number,
): Row {
  const ratio = ours / theirs;
  const ok = ratio >= aim;
  return {
    name,
    ratio: round(ratio),
    aim: `≥ ${aim}`,
    ok,
    ours: round(ours),
    theirs: round(theirs),
    unit,
  };
}

/** A row where less is better. A bound of nothing at all is kept by nothing only. */
export function atMost(name: string, unit: string, ours: number, theirs: number, aim: number): Row {
  const ratio = theirs === 0 ? ours : ours / theirs;
  const ok = theirs === 0 ? ours === 0 : ratio <= aim;
  return {
    name,
    ratio: round(ratio),
    aim: `≤ ${aim}`,
    ok,
    ours: round(ours),
    theirs: round(theirs),
    unit,
  };
}

export function table(rows: Row[]): string {
  const cells = [
    ["", "what", "ours", "theirs", "unit", "ratio", "aim"],
    ...rows.map((row) => [
      row.ok ? "ok" : "SHORT",
      row.name,
      row.ours.toLocaleString("en"),
      row.theirs.toLocaleString("en"),
      row.unit,
      String(row.ratio),
      row.aim,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4, 5, 6].map((column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .join("\n");
}
