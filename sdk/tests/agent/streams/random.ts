// Streams of AI SDK chunks by chance, of a seed that repeats them.

export type Chunk = { type: string } & Record<string, unknown>;

/** Numbers by chance: mulberry32. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * most);
  }

  is(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const WORDS = ["One ", "two ", "", "drei ", "\u{1f98a} ", "\ud83e", '{"a":', "1}", "true", "  "];
const IDS = ["0", "1", "txt-0"];
const CALLS = ["call_0", "call_1", "c".repeat(500)];

function metadata(chance: Chance): object {
  if (!chance.is(3)) return {};
  const signature = "s".repeat(chance.is(3) ? 2000 : 8) + chance.below(100);
  return {
    providerMetadata: chance.of([{ anthropic: { signature } }, { openai: { itemId: "m" } }]),
  };
}

/** Any chunks in any order: what no SDK should send. */
export function anyChunks(seed: number): Chunk[] {
  const chance = new Chance(seed);
  const types = [
    ...["text", "reasoning"].flatMap((kind) => [`${kind}-start`, `${kind}-delta`, `${kind}-end`]),
    ...["start", "delta", "available", "error"].map((what) => `tool-input-${what}`),
    ...["available", "available", "error", "denied"].map((what) => `tool-output-${what}`),
    ...["tool-approval-request", "tool-approval-response", "tool-input", "tool-output"],
    ...["start", "finish", "start-step", "finish-step", "reset-step", "message-metadata"],
    ...["data-x", "data-x", "source-url", "file", "of-next-year", "error", "abort", "response"],
  ];
  return Array.from({ length: chance.below(60) }, () => {
    const type = chance.of(types);
    return {
      type,
      ...(!chance.is(9) && { id: chance.of(IDS) }),
      toolCallId: chance.of(CALLS),
      toolName: "look",
      approvalId: chance.of(["a", "b"]),
      delta: chance.of(WORDS),
      inputTextDelta: chance.of(WORDS),
      input: chance.of([null, "", 0, { a: 1 }, "true", undefined]),
      output: chance.of([null, "", 0, { a: 1 }, "true", undefined]),
      errorText: "no",
      ...(chance.is(3) && { dynamic: true }),
      ...(chance.is(3) && { preliminary: true }),
      ...metadata(chance),
    };
  });
}

/** A call under way, as its step says it. */
function callOf(chance: Chance, toolCallId: string, isDynamic: boolean): Chunk[] {
  const head = {
    toolCallId,
    toolName: chance.of(["look", "add"]),
    ...(isDynamic && { dynamic: true }),
    ...(chance.is(4) && { providerExecuted: true }),
    ...(chance.is(4) && { title: chance.of(["Look", "true", "[x]", ""]) }),
    ...(chance.is(4) && { toolMetadata: { server: "x" } }),
  };
  const input = chance.of([{ a: 1 }, null, "", 0, "true"]);
  const isText = chance.is(5);
  const json = isText ? "ls -l" : (JSON.stringify(input) ?? "");
  const at = chance.below(json.length + 1);
  const start = { ...head, ...(isText && { inputEncoding: "text" }), ...metadata(chance) };
  const grow = (inputTextDelta: string): Chunk => ({
    type: "tool-input-delta",
    toolCallId,
    inputTextDelta,
  });
  const streamed = [
    { type: "tool-input-start", ...start },
    ...[json.slice(0, at), json.slice(at)].filter((piece) => piece !== "").map(grow),
  ];
  const chunks: Chunk[] = chance.is(2) ? streamed : [];
  if (chance.is(6)) {
    const refused = { ...head, input: json, errorText: "wrong", ...metadata(chance) };
    chunks.push({ type: "tool-input-error", ...refused });
    if (chance.is(2)) chunks.push({ type: "tool-output-error", toolCallId, errorText: "wrong" });
    return chunks;
  }
  if (chunks.length > 0 && chance.is(8)) return chunks.slice(0, 1 + chance.below(3));
  const available = { type: "tool-input-available", ...head, input, ...metadata(chance) };
  chunks.push(available, ...(chance.is(5) ? [available] : []));
  if (chance.is(4)) {
    const approvalId = `approval ${chance.below(1e9)}`;
    const reason = chance.is(2) ? { reason: "dangerous" } : {};
    chunks.push({ type: "tool-approval-request", approvalId, toolCallId, ...reason });
    const approved = chance.is(2);
    const why = chance.is(2) ? { reason: "since" } : {};
    const more = { approvalId, approved, ...why, ...metadata(chance) };
    if (!chance.is(3)) chunks.push({ type: "tool-approval-response", ...more });
    if (!approved) return [...chunks, { type: "tool-output-denied", toolCallId }];
  }
  const result = () => ({ toolCallId, ...metadata(chance) });
  const output = () => chance.of([0, "", false, null, { degrees: 7 }, ["true"]]);
  while (chance.is(3)) {
    const part = { output: output(), preliminary: true };
    chunks.push({ type: "tool-output-available", ...result(), ...part });
  }
  if (chance.is(5)) return chunks;
  if (chance.is(4)) chunks.push({ type: "tool-output-error", ...result(), errorText: "away" });
  else chunks.push({ type: "tool-output-available", ...result(), output: output() });
  return chunks;
}

function textOf(chance: Chance, kind: string, id: string): Chunk[] {
  const deltas = Array.from({ length: chance.below(4) }, () => ({
    type: `${kind}-delta`,
    id,
    delta: chance.of(WORDS),
    ...metadata(chance),
  }));
  const start = { type: `${kind}-start`, id, ...metadata(chance) };
  return [start, ...deltas, { type: `${kind}-end`, id, ...metadata(chance) }];
}

/** Whole parts, some at the same time. */
function mixed(chance: Chance, parts: Chunk[][]): Chunk[] {
  const left = parts.filter((part) => part.length > 0).map((part) => [...part]);
  const chunks: Chunk[] = [];
  for (let one = left[0]; one; one = left.find((part) => part.length > 0)) {
    const open = left.filter((part) => part.length > 0);
    const from = chance.is(2) ? one : chance.of(open.slice(0, 3));
    chunks.push(...from.splice(0, 1));
  }
  return chunks;
}

/** An answer as an SDK says it; ids of texts and calls come again in each step. */
export function answer(seed: number, { reset = true } = {}): Chunk[] {
  const chance = new Chance(seed);
  const chunks: Chunk[] = [{ type: "start", ...(chance.is(2) && { messageId: "m" }) }];
  const more = () => (chance.is(3) ? { messageMetadata: { [chance.of(IDS)]: { n: seed } } } : {});
  for (let step = 0; step <= chance.below(4); step += 1) {
    const said = () => {
      const calls = CALLS.slice(0, chance.below(3)).map((id) => {
        // The AI SDK itself confuses calls of one id and step of which one is dynamic.
        const isDynamic = chance.is(4);
        const again = chance.is(6) ? callOf(chance, id, isDynamic) : [];
        return [...callOf(chance, id, isDynamic), ...again];
      });
      const data = { type: "data-x", id: chance.of(IDS), data: { n: chance.below(9) } };
      return mixed(chance, [
        textOf(chance, "reasoning", "0"),
        ...(chance.is(2) ? [textOf(chance, "text", "0")] : []),
        ...calls,
        chance.is(2) ? [data] : [],
        chance.is(4) ? [{ ...data, id: undefined }] : [],
        chance.is(4) ? [{ type: "file", url: "https://a", mediaType: "a/b" }] : [],
        chance.is(4) ? [{ type: "source-url", sourceId: "s", url: "https://a" }] : [],
        [...textOf(chance, "text", "1"), ...(chance.is(3) ? textOf(chance, "text", "1") : [])],
      ]);
    };
    chunks.push({ type: "start-step" });
    if (reset && chance.is(5)) {
      const before = said();
      chunks.push(...before.slice(0, chance.below(before.length)), { type: "reset-step" });
    }
    chunks.push(...said(), { type: "finish-step" });
    if (chance.is(3)) chunks.push({ type: "message-metadata", ...more() });
  }
  chunks.push({ type: "finish", finishReason: "stop", ...more() });
  return chunks;
}

/** Events as the worst of gateways would pass them on: lost, doubled, late, without their ids. */
export function mangled(seed: number, events: readonly object[]): Chunk[] {
  const chance = new Chance(seed);
  const lost = ["item_id", "output_index", "index", "sequence_number", "content_index", "item"];
  const rate = 2 + chance.below(12);
  const out: Chunk[] = [];
  for (const event of events as Chunk[]) {
    if (chance.is(rate)) continue;
    const one = { ...event };
    if (chance.is(rate)) delete one[chance.of(lost)];
    if (chance.is(rate)) one[chance.of(lost)] = chance.of([0, -1, "x", null, {}, [1]]);
    const at = chance.is(rate) ? chance.below(out.length + 1) : out.length;
    out.splice(at, 0, one, ...(chance.is(rate) ? [one] : []));
  }
  return out;
}
