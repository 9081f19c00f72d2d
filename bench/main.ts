// `npm run bench`: the figures of "how fast, how cheap", over real sockets, against a bare
// JavaScript Durable Object in the same workerd and the same run.
//
//   --json        prints one array of rows and nothing else
//   --only NAME   runs the families whose name contains NAME
//   --quick       shorter rounds and smaller loads, for development

import { parseArgs } from "node:util";
import { billing } from "./billing.ts";
import { cancel } from "./cancel.ts";
import { footprint } from "./footprint.ts";
import { joining } from "./joining.ts";
import { latency } from "./latency.ts";
import { loss } from "./loss.ts";
import { pages } from "./page.ts";
import { type Bench, type Family, type Row, table } from "./row.ts";
import { WORKERD_VERSION } from "./server.ts";
import { starting } from "./start.ts";
import { throughput } from "./throughput.ts";

const FAMILIES: Family[] = [
  ...throughput,
  ...latency,
  ...cancel,
  ...joining,
  ...billing,
  ...footprint,
  ...loss,
  ...starting,
  ...pages,
];

/** No family needs as long. */
const HANG_MS = 300_000;

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
  },
});

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

const families = FAMILIES.filter(({ name }) => name.includes(options.only));
if (families.length === 0) {
  const names = FAMILIES.map(({ name }) => name).join(", ");
  throw new Error(`no family is called ${options.only}; there are ${names}`);
}
bench.log(`workerd ${WORKERD_VERSION}`);
const rows: Row[] = [];
for (const family of families) rows.push(...(await within(family)));
process.stdout.write(`${options.json ? JSON.stringify(rows, null, 2) : table(rows)}\n`);
process.exit(0);
