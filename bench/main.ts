// `npm run bench`: the figures of "how fast, how cheap", over real sockets, against a bare
// JavaScript Durable Object in the same workerd and the same run.
//
//   --json [FILE]           gives one array of rows, to FILE beside the table if there is one
//   --only NAME             runs the families whose name contains NAME
//   --quick                 shorter rounds and smaller loads, for development
//   --build DIR             measures the Worker in DIR in place of build/
//   --compare BEFORE AFTER  measures nothing, and compares two such files

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { billing } from "./billing.ts";
import { bounds } from "./bounds.ts";
import { cancel } from "./cancel.ts";
import { footprint } from "./footprint.ts";
import { inbox } from "./inbox.ts";
import { joining } from "./joining.ts";
import { latency } from "./latency.ts";
import { loss } from "./loss.ts";
import { rowsOfPace } from "./pace.ts";
import { pages } from "./page.ts";
import { type Bench, comparison, type Family, type Row, readRows, table } from "./row.ts";
import { searches } from "./search.ts";
import { WORKERD_VERSION } from "./server.ts";
import { starting } from "./start.ts";
import { state } from "./state.ts";
import { throughput } from "./throughput.ts";

const FAMILIES: Family[] = [
  ...throughput,
  ...latency,
  ...cancel,
  ...joining,
  ...billing,
  ...rowsOfPace,
  ...inbox,
  ...bounds,
  ...state,
  ...searches,
  ...footprint,
  ...loss,
  ...starting,
  ...pages,
];

/** No family needs as long. */
const HANG_MS = 300_000;

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    build: { type: "string" },
    compare: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
  },
});

if (options.compare) {
  const [before, after] = files;
  if (before === undefined || after === undefined) throw new Error("--compare BEFORE AFTER");
  process.stdout.write(`${comparison(readRows(before), readRows(after))}\n`);
  process.exit(0);
}
const [file] = files;
if (options.build !== undefined) process.env.SESSILE_BUILD = options.build;

const bench: Bench = {
  quick: options.quick,
  log: (line) => process.stderr.write(`${line}\n`),
};

/** Runs a family; one that hangs ends the run instead of hanging it. */
function within(family: Family): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`${family.name} took longer than ${HANG_MS} ms`));
    const timer = setTimeout(late, HANG_MS);
    const stop = (): void => clearTimeout(timer);
    family.run(bench).finally(stop).then(resolve, reject);
  });
}

if (file !== undefined && !options.json) throw new Error(`${file} is no option; --json FILE is`);
const families = FAMILIES.filter(({ name }) => name.includes(options.only));
if (families.length === 0) {
  const names = FAMILIES.map(({ name }) => name).join(", ");
  throw new Error(`no family is called ${options.only}; there are ${names}`);
}
bench.log(`workerd ${WORKERD_VERSION}`);
const rows: Row[] = [];
for (const family of families) rows.push(...(await within(family)));
const json = `${JSON.stringify(rows, null, 2)}\n`;
if (file !== undefined) writeFileSync(file, json);
process.stdout.write(options.json && file === undefined ? json : `${table(rows)}\n`);
process.exit(0);
