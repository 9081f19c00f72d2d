// A codec's operations, folded into messages as a reader would see them.

import assert from "node:assert/strict";
import type { Codec, Headers, Operation } from "../../src/agent/codec/operation.ts";
import { applied } from "../../src/client/state-tree.ts";
import type { StateTree } from "../../src/protocol/index.ts";

export interface Seen {
  key: string;
  name: string;
  data: unknown;
  status?: string;
  headers?: Headers;
  role?: string;
  of?: string;
}

export interface Outcome {
  messages: Seen[];
  signals: { name: string; data: unknown }[];
  /** The shared state, if it begins empty. */
  state: StateTree;
  failure?: Operation & { op: "fail" };
  operations: Operation[];
}

/** Folds operations, and refuses those that no session would take. */
export function fold(operations: Operation[]): Outcome {
  const messages = new Map<string, Seen>();
  const used = new Set<string>();
  const outcome: Outcome = { messages: [], signals: [], state: {}, operations };
  const held = (key: string): Seen => {
    const message = messages.get(key);
    assert.ok(message, `${key} was not begun`);
    return message;
  };
  const begin = (message: Seen) => {
    assert.ok(!used.has(message.key), `${message.key} was used before`);
    used.add(message.key);
    messages.set(message.key, message);
  };
  for (const operation of operations) {
    switch (operation.op) {
      case "open": {
        const { key, name, text, headers } = operation;
        begin({ key, name, data: text, status: "streaming", ...(headers && { headers }) });
        break;
      }
      case "append": {
        const message = held(operation.key);
        assert.equal(message.status, "streaming", `${operation.key} is closed`);
        message.data = `${message.data}${operation.text}`;
        break;
      }
      case "close": {
        const message = held(operation.key);
        assert.equal(message.status, "streaming", `${operation.key} is closed`);
        if (operation.headers !== undefined) {
          assert.notDeepEqual(operation.headers, message.headers, "headers that changed");
        }
        message.status = operation.status;
        if ("data" in operation) message.data = operation.data;
        if (operation.headers !== undefined) message.headers = operation.headers;
        break;
      }
      case "put": {
        const { key, name, data, headers, role, of } = operation;
        if (!messages.has(key)) begin({ key, name, data });
        const message = held(key);
        assert.equal(message.status, undefined, `${key} is a text`);
        assert.equal(message.name, name, "a name stays");
        if (of !== undefined) held(of);
        Object.assign(message, { data, headers, ...(role && { role }), ...(of && { of }) });
        break;
      }
      case "drop":
        held(operation.key);
        messages.delete(operation.key);
        break;
      case "signal":
        outcome.signals.push({ name: operation.name, data: operation.data });
        break;
      case "state":
        outcome.state = applied(outcome.state, operation.ops);
        break;
      case "fail":
        outcome.failure = operation;
        break;
    }
  }
  outcome.messages = [...messages.values()];
  return outcome;
}

/** Everything that a new codec makes of these parts, up to the end of its source. */
export function run<Part>(codec: () => Codec<Part>, parts: readonly Part[]): Outcome {
  const outcome = feed(codec, parts, true);
  const open = outcome.messages.filter(({ status }) => status === "streaming");
  assert.deepEqual(open, [], "nothing is left open");
  return outcome;
}

/** The outcome of parts while more may come. */
export function feed<Part>(
  codec: () => Codec<Part>,
  parts: readonly Part[],
  isEnd = false,
): Outcome {
  const [one, again] = [codec(), codec()];
  const all = (read: Codec<Part>) => [
    ...parts.flatMap((part) => read(part)),
    ...((isEnd && read.end?.()) || []),
  ];
  const operations = all(one);
  assert.deepEqual(all(again), operations, "the same parts give the same operations");
  if (isEnd) assert.deepEqual(one.end?.(), [], "a stream ends once");
  return fold(operations);
}

/** Whether it is the outcome that is told of a stream that was cut. */
export function isCut({ failure }: Outcome): boolean {
  if (failure?.code !== "stream-cut") return false;
  assert.equal(failure.status, "failed");
  assert.match(failure.error ?? "", /^stream-cut: the stream ended without /);
  return true;
}

/** Name and data, which is what most tests ask. */
export function contents(outcome: Outcome): [string, unknown][] {
  return outcome.messages.map(({ name, data }) => [name, data]);
}

export function find(outcome: Outcome, key: string): Seen {
  const found = outcome.messages.find((message) => message.key === key);
  assert.ok(found, `no ${key} among ${outcome.messages.map((message) => message.key)}`);
  return found;
}

/** The operations by name and key. */
export function steps({ operations }: Outcome): string[] {
  return operations.map((one) => ("key" in one ? `${one.op} ${one.key}` : one.op));
}
