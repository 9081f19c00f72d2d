// The session's shared state as a stream tells it: snapshots and JSON Patches (RFC 6902) become
// operations on the tree (P9.1). A path of the session leads into no list, so a patch inside a list
// sets the whole list, and the stream's own value is kept for that.

import { type Json as JsonValue, type StateOp, wellFormed } from "../../protocol/index.ts";
import { fields, type Json, jsonOf, listed } from "./operation.ts";

export interface StateOptions {
  /** The place of the stream's state in the session's tree; its root by default. */
  at?: readonly string[];
  /** The state that patches change until there is a snapshot; nothing by default. */
  value?: unknown;
}

/** Keys that the session refuses, and the bounds of a key and of the tree (P9.1, P14). */
const REFUSED = /^(__proto__|prototype|constructor)?$/;
const MOST_KEY = 128;
const MOST_LEVELS = 32;

/** A change that the session's tree, or the stream's value, does not take. */
class Impossible extends Error {}

export class StateDraft {
  readonly #at: string[];
  #value: unknown;

  constructor({ at = [], value }: StateOptions = {}) {
    this.#at = [...at];
    this.#value = value;
  }

  /** The operations of a whole state; `undefined` if the session's tree cannot hold it. */
  snapshot(value: unknown): StateOp[] | undefined {
    return attempt(() => {
      const plain = value == null ? undefined : plainOf(value);
      const op = this.#op([], plain);
      this.#value = plain;
      return [op];
    });
  }

  /** The operations of a JSON Patch, all or none; `undefined` if it does not apply. */
  patch(delta: unknown): StateOp[] | undefined {
    return attempt(() => {
      let value = this.#value;
      const ops: StateOp[] = [];
      for (const given of listed(delta)) {
        for (const step of stepsOf(fields(given), value)) {
          const next = put(value, step.path, step);
          const path = outsideLists(value, step.path);
          const op = this.#op(path, valueAt(next, path));
          // A list that changes in several places is said once.
          if (JSON.stringify(pathOf(ops.at(-1))) === JSON.stringify(pathOf(op))) ops.pop();
          ops.push(op);
          value = next;
        }
      }
      this.#value = value;
      return ops;
    });
  }

  /** Sets a place of the stream's state, or removes what is there. */
  #op(path: readonly string[], value: unknown): StateOp {
    return operation([...this.#at, ...path], value);
  }
}

/** The operation that gives a place of the session's tree a value; without one it is removed. */
export function operation(path: string[], value: unknown): StateOp {
  if (!path.every(isKey)) throw new Impossible();
  if (value === undefined) return path.length === 0 ? { op: "reset" } : { op: "remove", path };
  const isRoot = path.length === 0;
  if (isRoot && (typeof value !== "object" || value === null || Array.isArray(value))) {
    throw new Impossible();
  }
  check(value, MOST_LEVELS - path.length);
  return { op: "set", path, value: value as JsonValue };
}

/** The result of making something that may be impossible. */
export function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (problem) {
    if (problem instanceof Impossible) return undefined;
    throw problem;
  }
}

/** The value as everybody gets it, whatever its maker does to the object later. */
export function plainOf(value: unknown): JsonValue {
  const json = jsonOf(value);
  if (json === undefined) throw new Impossible();
  return wellFormed(JSON.parse(json));
}

function isKey(key: string): boolean {
  return !REFUSED.test(key) && key.length <= MOST_KEY;
}

function check(value: unknown, levels: number): void {
  if (typeof value !== "object" || value === null) return;
  if (levels === 0) throw new Impossible();
  for (const [key, part] of Object.entries(value)) {
    if (!Array.isArray(value) && !isKey(key)) throw new Impossible();
    check(part, levels - 1);
  }
}

function pathOf(op: StateOp | undefined): readonly string[] | undefined {
  return op && "path" in op ? op.path : undefined;
}

/** One change at one place: a value is added or replaced there, or removed. */
interface Step {
  path: string[];
  how: "add" | "replace" | "remove";
  value?: unknown;
}

/** The changes of one operation of a patch; a move is two. */
function stepsOf({ op, path: pointer, from, value }: Json, state: unknown): Step[] {
  const path = keysOf(pointer);
  switch (op) {
    case "add":
    case "replace":
      return [{ path, how: op, value: plainOf(value) }];
    case "remove":
      return valueAt(state, path) === undefined ? [] : [{ path, how: op }];
    case "copy":
    case "move": {
      const source = keysOf(from);
      const moved = valueAt(state, source);
      if (moved === undefined) throw new Impossible();
      const add: Step = { path, how: "add", value: moved };
      return op === "copy" ? [add] : [{ path: source, how: "remove" }, add];
    }
    case "test":
      if (!isSame(valueAt(state, path), value)) throw new Impossible();
      return [];
    default:
      throw new Impossible();
  }
}

/** The keys of a JSON Pointer (RFC 6901). */
function keysOf(pointer: unknown): string[] {
  if (typeof pointer !== "string" || !/^(\/|$)/.test(pointer)) throw new Impossible();
  const keys = pointer.split("/").slice(1);
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function valueAt(state: unknown, path: readonly string[]): unknown {
  let value = state;
  for (const key of path)
    value = Object.hasOwn(Object(value), key) ? fields(value)[key] : undefined;
  return value;
}

/** The part of a path that leads to a list, or else all of it. */
function outsideLists(state: unknown, path: readonly string[]): readonly string[] {
  const within = path.findIndex((_, at) => Array.isArray(valueAt(state, path.slice(0, at))));
  return within < 0 ? path : path.slice(0, within);
}

/** The state after a change, which shares with the former one what did not change. */
function put(state: unknown, [key, ...rest]: readonly string[], step: Step): unknown {
  if (key === undefined) return step.value;
  if (Array.isArray(state)) return putInList(state, key, rest, step);
  // A missing parent becomes an object, as in the session.
  if (state !== undefined && (typeof state !== "object" || state === null)) throw new Impossible();
  const { [key]: was, ...others } = fields(state);
  const is = put(Object.hasOwn(fields(state), key) ? was : undefined, rest, step);
  return is === undefined ? others : { ...fields(state), [key]: is };
}

function putInList(list: unknown[], key: string, rest: readonly string[], step: Step): unknown[] {
  const isAdded = rest.length === 0 && step.how === "add";
  const at = key === "-" && isAdded ? list.length : /^(0|[1-9]\d*)$/.test(key) ? Number(key) : -1;
  if (at < 0 || at >= list.length + (isAdded ? 1 : 0)) throw new Impossible();
  if (isAdded) return list.toSpliced(at, 0, step.value);
  if (rest.length === 0 && step.how === "remove") return list.toSpliced(at, 1);
  return list.with(at, put(list[at], rest, step));
}

/** Whether two values are the same JSON, whatever the order of their keys. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Object(one) !== one || Object(other) !== other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(fields(one));
  return (
    keys.length === Object.keys(fields(other)).length &&
    keys.every(
      (key) => Object.hasOwn(fields(other), key) && isSame(fields(one)[key], fields(other)[key]),
    )
  );
}
