// The tree of shared state as values that never change in place (P9.1): operations make another
// tree, which has every part in common that they leave alone.

import type { Json, StateOp, StateResult, StateTree } from "../protocol/index.ts";

/** The keys that lead to a place of the tree; none is the root. */
export type StatePath = readonly string[];

/** The value at a place, or `undefined`. */
export function valueAt(tree: Json | undefined, path: StatePath): Json | undefined {
  let value = tree;
  for (const key of path)
    value = isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** The tree after operations; one that the session would refuse changes nothing. */
export function applied(tree: StateTree, ops: readonly (StateOp | StateResult)[]): StateTree {
  let now = tree;
  for (const op of ops) {
    const next = op.op === "reset" ? {} : put(now, op.path, (was) => resultOf(op, was));
    if (isTree(next)) now = next;
  }
  return now;
}

/** The new value, in which whatever equals the old one is the old one. */
export function keeping(was: Json | undefined, is: Json): Json {
  if (was === is) return is;
  if (isTree(was) && isTree(is)) {
    const keys = Object.keys(is);
    const entries = keys.map((key) => [key, keeping(valueAt(was, [key]), is[key] as Json)]);
    const isSame = keys.length === Object.keys(was).length;
    return isSame && entries.every(([key, value]) => valueAt(was, [key as string]) === value)
      ? was
      : Object.fromEntries(entries);
  }
  const areLists = Array.isArray(was) && Array.isArray(is);
  return areLists && JSON.stringify(was) === JSON.stringify(is) ? was : is;
}

/** Whether results may be those of the operations. */
export function mayBe(results: readonly StateResult[], ops: readonly StateOp[]): boolean {
  return (
    results.length === ops.length &&
    results.every((result, at) => {
      const op = ops[at] as StateOp;
      if (op.op === "reset") return result.op === "set" && result.path.length === 0;
      const isKind = result.op === (op.op === "remove" ? "remove" : "set");
      const isAt = JSON.stringify(result.path) === JSON.stringify(op.path);
      const isValue =
        op.op !== "set" || keeping(op.value, (result as { value: Json }).value) === op.value;
      return isKind && isAt && isValue;
    })
  );
}

function isTree(value: Json | undefined): value is StateTree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resultOf(op: Exclude<StateOp, { op: "reset" }>, was: Json | undefined) {
  if (op.op === "set") return op.value;
  if (op.op === "remove") return undefined;
  return was === undefined || typeof was === "number" ? (was ?? 0) + op.by : was;
}

/** Puts a value at a place; `undefined` removes what is there. */
function put(
  tree: Json | undefined,
  [key, ...rest]: StatePath,
  to: (was: Json | undefined) => Json | undefined,
): Json | undefined {
  if (key === undefined) return to(tree);
  if (tree !== undefined && !isTree(tree)) return tree;
  const was = valueAt(tree, [key]);
  const is = put(was, rest, to);
  if (is === was) return tree;
  const { [key]: _, ...others } = tree ?? {};
  return is === undefined ? others : { ...tree, [key]: is };
}
