// The Worker in a test is configured as in a deployment.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLASSES, DATE } from "../../src/testing/runtime.ts";

test("it has the date and the objects of wrangler.toml", () => {
  const config = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");
  assert.equal(/^compatibility_date = "(.*)"$/m.exec(config)?.[1], DATE);
  const bindings = config.matchAll(/^\[\[durable_objects.*\nname = "(.*)"\nclass_name = "(.*)"$/gm);
  assert.deepEqual(Object.fromEntries([...bindings].map(([, name, of]) => [name, of])), CLASSES);
});
