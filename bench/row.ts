// The benchmark's rows as printed, and their little statistics.

import { readFileSync } from "node:fs";

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

/** The tools of a family. */
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
  return aligned([
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
  ]);
}

/** The rows that `--json FILE` wrote. */
export function readRows(file: string): Row[] {
  return JSON.parse(readFileSync(file, "utf8")) as Row[];
}

/** A ratio that is worse by more than this is marked: two runs of one build differ by less. */
const NOISE = 0.1;

/**
 * Two runs beside each other, by what each is to the bare object of its own run: the machine may
 * have been busier in one of them. A change is in per cent, and above 0 where it is for the better.
 */
export function comparison(before: Row[], after: Row[]): string {
  const lines = after.map((row) => {
    const was = before.find(({ name }) => name === row.name);
    if (was === undefined) return ["new", row.name, "", cell(row), row.unit, ""];
    const gain = row.aim.startsWith("≥") ? row.ratio / was.ratio : was.ratio / row.ratio;
    const change = was.ratio === row.ratio ? 0 : gain - 1;
    const mark = change < -NOISE ? "WORSE" : change > NOISE ? "better" : "";
    const said = Number.isFinite(change) ? `${(change * 100).toFixed(1)} %` : "";
    return [row.ok ? mark : "SHORT", row.name, cell(was), cell(row), row.unit, said];
  });
  const gone = before.filter(({ name }) => !after.some((row) => row.name === name));
  return aligned([
    ["", "what", "before (ratio)", "after (ratio)", "unit", "change"],
    ...lines,
    ...gone.map((row) => ["gone", row.name, cell(row), "", row.unit, ""]),
  ]);
}

function cell({ ours, ratio }: Row): string {
  return `${ours.toLocaleString("en")} (${ratio})`;
}

/** Lines of cells in columns of one width. */
function aligned(cells: string[][]): string {
  const columns = cells[0]?.map((_, column) => column) ?? [];
  const widths = columns.map((column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) => line.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "))
    .join("\n");
}
