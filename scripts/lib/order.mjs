// The order of a wasm module's functions, for gzip: it sees repetitions within its window of 32 KB
// alone, so each function is best followed by the one that has most in common with the last ones.

/** Bytes in a row that functions share: more than gzip needs to repeat them for less. */
const RUN = 6;
/** Bytes that the next function can repeat: the window, less what it takes of that itself. */
const WINDOW = 30_000;
/** A run that more functions have is near anywhere. */
const COMMON = 1500;

// Kinds of sections, then of imports.
const NAMES = 0;
const IMPORTS = 2;
const CODE = 10;
const FUNCTION = 0;
const TAG = 4;

/** A module that has no names, with names that sort its functions by likeness. */
export function nameByLikeness(wasm) {
  const bodies = readBodies(wasm);
  // They are counted before the module's own.
  const imported = countImportedFunctions(wasm);
  const names = orderByLikeness(bodies)
    .map((body, place) => ({ index: imported + body, name: String(place).padStart(6, "0") }))
    .sort((left, right) => left.index - right.index)
    .flatMap(({ index, name }) => [number(index), sized(Buffer.from(name))]);
  const functions = sized(Buffer.concat([number(bodies.length), ...names]));
  const section = Buffer.concat([sized(Buffer.from("name")), Buffer.from([1]), functions]);
  return Buffer.concat([wasm, Buffer.from([NAMES]), sized(section)]);
}

/** Indices of bodies: each next one has the largest share of its runs in those just before it. */
function orderByLikeness(bodies) {
  const { runs, totals } = findSharedRuns(bodies);
  const shared = new Float64Array(bodies.length);
  const left = new Set(bodies.keys());
  const order = [];
  let [start, bytes] = [0, 0];
  const count = (body, by) => {
    for (const run of runs[body]) {
      const before = run.within;
      run.within += by;
      // A run counts once, however often the window has it.
      if ((before === 0) === (run.within === 0)) continue;
      for (const other of run.bodies) shared[other] += by * run.weight;
    }
  };
  while (left.size > 0) {
    let [next] = left;
    for (const body of left) {
      if (shared[body] * totals[next] > shared[next] * totals[body]) next = body;
    }
    left.delete(next);
    order.push(next);
    count(next, 1);
    bytes += bodies[next].length;
    while (bytes > WINDOW && start < order.length - 1) {
      bytes -= bodies[order[start]].length;
      count(order[start], -1);
      start += 1;
    }
  }
  return order;
}

/** The runs that several bodies have, of each body; and the weight of all its runs. */
function findSharedRuns(bodies) {
  const found = new Map();
  for (const [index, body] of bodies.entries()) {
    for (let at = 0; at + RUN <= body.length; at += 1) {
      const bytes = body.readUIntLE(at, RUN);
      if (!found.has(bytes)) found.set(bytes, { bodies: [], within: 0, weight: 1 });
      const others = found.get(bytes).bodies;
      if (others.at(-1) !== index) others.push(index);
    }
  }
  const runs = bodies.map(() => []);
  const totals = new Float64Array(bodies.length).fill(1);
  for (const run of found.values()) {
    // A run that few functions have says more.
    run.weight = 1 / Math.sqrt(run.bodies.length);
    for (const body of run.bodies) {
      totals[body] += run.weight;
      if (run.bodies.length > 1 && run.bodies.length <= COMMON) runs[body].push(run);
    }
  }
  return { runs, totals };
}

function readBodies(wasm) {
  let [count, at] = readNumber(wasm, findSection(wasm, CODE));
  const bodies = [];
  for (; count > 0; count -= 1) {
    const [length, body] = readNumber(wasm, at);
    at = body + length;
    bodies.push(wasm.subarray(body, at));
  }
  return bodies;
}

/** An import is a module, a name, a kind and a type; one is the tag of JavaScript's exceptions. */
function countImportedFunctions(wasm) {
  let [count, at] = readNumber(wasm, findSection(wasm, IMPORTS));
  let functions = 0;
  for (; count > 0; count -= 1) {
    const [module, moduleAt] = readNumber(wasm, at);
    const [name, nameAt] = readNumber(wasm, moduleAt + module);
    const kind = wasm[nameAt + name];
    if (kind !== FUNCTION && kind !== TAG)
      throw new Error(`an import of kind ${kind} is not known`);
    if (kind === FUNCTION) functions += 1;
    [, at] = readNumber(wasm, nameAt + name + (kind === TAG ? 2 : 1));
  }
  return functions;
}

/** Where the content of a section begins; sections follow the first eight bytes. */
function findSection(wasm, id) {
  let at = 8;
  while (wasm[at] !== id) {
    const [length, content] = readNumber(wasm, at + 1);
    at = content + length;
  }
  const [, content] = readNumber(wasm, at + 1);
  return content;
}

/** A number in LEB128, and where it ends. */
function readNumber(wasm, start) {
  let [value, at] = [0, start];
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[at];
    at += 1;
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

function number(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

/** Bytes behind their number. */
function sized(bytes) {
  return Buffer.concat([number(bytes.length), bytes]);
}
