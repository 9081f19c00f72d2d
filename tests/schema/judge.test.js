// The module that judges in the Worker, by the official suite as `tests/schema.rs` reads it, and
// by schemas that would take for ever.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { admit, check } from "../../src/cloudflare/platform/schema.js";

const STEPS = 1_000_000;
const suite = new URL("../fixtures/schema/suite.ndjson", import.meta.url);

function breaches(schema, value) {
  const text = typeof schema === "string" ? schema : JSON.stringify(schema);
  return JSON.parse(check(text, JSON.stringify(value), STEPS, 10, 200, 256));
}

test("the official suite of JSON Schema 2020-12 is judged as it says", () => {
  const wrong = [];
  let judged = 0;
  for (const line of readFileSync(suite, "utf8").trim().split("\n")) {
    const { about, read, tests } = JSON.parse(line);
    if (read === undefined) continue;
    assert.equal(admit(read), undefined, about);
    for (const { about: name, data, valid, here = valid } of tests) {
      judged += 1;
      const found = breaches(read, data);
      if ((found.length === 0) !== here) wrong.push(`${about}: ${name} ${JSON.stringify(found)}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(judged > 1_000);
});

test("breaches say where and why, ten of them at most", () => {
  const schema = {
    properties: { size: { type: "number" }, "a/b": { enum: ["x"] }, no: false },
    required: ["name"],
  };
  assert.deepEqual(breaches(schema, { size: "L", "a/b": 1, no: 1 }), [
    { path: "", reason: 'Instance does not have required property "name".' },
    { path: "/size", reason: 'Instance type "string" is invalid. Expected "number".' },
    { path: "/a~1b", reason: 'Instance does not match any of ["x"].' },
    { path: "/no", reason: "Nothing is allowed here." },
  ]);
  const many = breaches({ items: { type: "number" } }, Array(100).fill("a"));
  assert.equal(many.length, 10);
});

test("a pattern that is none to JavaScript is named", () => {
  const found = admit('{"properties":{"a":{"pattern":"a{2,1}"}}}');
  assert.match(found ?? "", /"path":"\/properties\/a\/pattern","reason":"its pattern is not one/);
});

/** Schemas whose checks grow without end, and a value for each. */
const HOSTILE = [
  ["references that double", doubling(), 1],
  ["a tree that is gone through twice at each level", twice(), nested(60)],
  ["many schemas for many parts", { items: { allOf: Array(2_000).fill({}) } }, numbers(50_000)],
  ["many properties", { items: { required: names(2_000) } }, Array(20_000).fill({})],
  ["a long enum that is quoted", { items: { enum: names(2_000) } }, numbers(50_000)],
];

for (const [name, schema, value] of HOSTILE) {
  test(`${name}: refused before it takes long`, () => {
    const begin = performance.now();
    const [first] = breaches(schema, value);
    assert.equal(first?.reason, `checking it takes more than ${STEPS} steps`);
    assert.ok(performance.now() - begin < 10_000);
  });
}

test("names too long for patterns are refused, and patterns that are slow are metered", () => {
  const name = "a".repeat(257);
  const [long] = breaches({ patternProperties: { "a+b": true } }, { [name]: 1 });
  assert.match(long?.reason ?? "", /longer than the 256 characters/);
  assert.deepEqual(breaches({ properties: { a: {} } }, { [name]: 1 }), []);
  const slow = '{"items":{"pattern":"a+b","$comment":"slow"}}';
  const [many] = breaches(slow, Array(1_000).fill("a".repeat(1_400)));
  assert.match(many?.reason ?? "", /takes more than/);
});

test("references through more schemas than the stack holds are refused", () => {
  const $defs = { last: {} };
  for (let at = 0; at < 20_000; at++) {
    $defs[at] = { $ref: `#/$defs/${at === 19_999 ? "last" : at + 1}` };
  }
  const [first] = breaches({ $defs, $ref: "#/$defs/0" }, 1);
  assert.match(first?.reason ?? "", /too many parts/);
});

function doubling() {
  const $defs = { 40: {} };
  for (let at = 0; at < 40; at++) {
    $defs[at] = { allOf: [{ $ref: `#/$defs/${at + 1}` }, { $ref: `#/$defs/${at + 1}` }] };
  }
  return { $defs, $ref: "#/$defs/0" };
}

function twice() {
  return { properties: { a: { allOf: [{ $ref: "#" }, { $ref: "#" }] } } };
}

function nested(depth) {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

function numbers(count) {
  return Array.from({ length: count }, (_, at) => at);
}

function names(count) {
  return Array.from({ length: count }, (_, at) => `n${at}`);
}
