// Streams of UI message chunks by chance, as providers and the AI SDK really give them: whatever
// comes out is valid for `ai` 7 and 6, and one seed always gives the same stream.

import type { UIMessageChunk } from "ai";

/** A chunk, of whatever version. */
export type Chunk = { type: string } & Record<string, unknown>;

export interface StreamOptions {
  /** Whether the stream may stop in the middle, as one that broke off. */
  mayBreakOff?: boolean;
}

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole stream: `start`, some steps with what is said in them, `finish`. */
export function randomStream(seed: number, options: StreamOptions = {}): UIMessageChunk[] {
  const maker = new Maker(randomOf(seed));
  const chunks = maker.stream();
  const { mayBreakOff = false } = options;
  const isWhole = !mayBreakOff || maker.chance(0.5);
  const end = isWhole ? chunks.length : 1 + maker.below(chunks.length - 1);
  return chunks.slice(0, end) as unknown as UIMessageChunk[];
}

const WORDS = ["It ", "is ", "seven ", "degrees ", "🌊", "in ", "Oslo", ". ", "\n\n", "é", "#"];
const VALUES: unknown[] = [{ city: "Oslo" }, { a: [1, { b: null }] }, {}, [], "text", "", 0, false];
/** No model gives a call nothing at all: what has no input has an empty object. */
const INPUTS = VALUES.filter((value) => value !== "");
const STATES = ["available", "available", "error", "none", "input-error", "broken", "approval"];

class Maker {
  readonly #random: () => number;
  /** Ids that are not used again in another step. */
  #unique = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  stream(): Chunk[] {
    const metadata = () => (this.chance(0.3) ? { messageMetadata: this.#metadataOfMessage() } : {});
    const steps = Array.from({ length: 1 + this.below(4) }, () => this.#step());
    const finishReason = this.#pick(["stop", "tool-calls", "length"]);
    const last = { type: "finish", finishReason, ...metadata() };
    return [{ type: "start", ...metadata() }, ...steps.flat(), last];
  }

  #metadataOfMessage(): object {
    return { [this.#pick(["model", "usage"])]: this.#pick(["m", { in: this.below(9) }]) };
  }

  /** Parts side by side: each in its own order, the whole in any. */
  #step(): Chunk[] {
    const tracks: Chunk[][] = [];
    const count = this.below(6);
    for (let n = 0; n < count; n += 1) tracks.push(this.#track(n));
    const chunks: Chunk[] = [{ type: "start-step" }];
    const isInRow = this.chance(0.4);
    while (tracks.some((track) => track.length > 0)) {
      const open = tracks.filter((track) => track.length > 0);
      chunks.push((isInRow ? open[0] : this.#pick(open))?.shift() as Chunk);
    }
    chunks.push({ type: "finish-step" });
    return chunks;
  }

  #track(n: number): Chunk[] {
    const kind = this.below(16);
    if (kind < 4) return this.#text("text", String(n));
    if (kind < 6) return this.#text("reasoning", String(n));
    // One id twice in a step, one after the other.
    if (kind === 6) return [...this.#text("text", String(n)), ...this.#text("text", String(n))];
    if (kind === 7) {
      return [...this.#text("reasoning", String(n)), ...this.#text("reasoning", String(n))];
    }
    if (kind < 13) return this.#call(`call_${n}`);
    if (kind === 13) return this.#data();
    return this.#single();
  }

  /** Metadata as a provider gives it: short, or more than fits into a header. */
  #provider(share = 0.35): { providerMetadata?: object } {
    if (!this.chance(share)) return {};
    this.#unique += 1;
    const itemId = `msg_${this.#unique}`;
    const thoughtSignature = "AY89".repeat(this.#pick([3, 150, 1300]));
    const providerMetadata = this.#pick([
      { openai: { itemId } },
      { anthropic: { signature: `c2ln${this.#unique}` } },
      { google: { thoughtSignature } },
      { openai: { itemId, annotations: [{ type: "x" }] } },
    ]);
    return { providerMetadata };
  }

  #text(kind: string, id: string): Chunk[] {
    const words = Array.from({ length: this.below(5) }, () => this.#pick(WORDS));
    const deltas = words.map((delta) => ({
      type: `${kind}-delta`,
      id,
      delta,
      ...this.#provider(0.05),
    }));
    const citations = kind === "text" && this.chance(0.05) ? { citations: [{ n: 1 }] } : {};
    return [
      { type: `${kind}-start`, id, ...this.#provider() },
      ...deltas,
      { type: `${kind}-end`, id, ...this.#provider(), ...citations },
    ];
  }

  #call(toolCallId: string): Chunk[] {
    const state = this.#pick(STATES);
    const toolName = this.#pick(["look", "web-search", "add"]);
    const flags = {
      ...(this.chance(0.2) && { dynamic: true }),
      ...(this.chance(0.2) && { title: this.#pick(["Look", "true", "[x]", "{}"]) }),
      ...(this.chance(0.15) && { toolMetadata: { server: "mcp", n: this.below(3) } }),
    };
    const isProviders = this.chance(0.15) ? { providerExecuted: true } : {};
    const head = { toolCallId, toolName, ...flags, ...isProviders };
    const input = state === "input-error" ? '{"a":' : this.#pick(INPUTS);
    const told: Chunk[] = this.chance(0.5) || state === "broken" ? this.#typed(head, input) : [];
    if (state === "broken") return told.slice(0, 1 + this.below(told.length));
    if (state === "input-error") {
      const errorText = "the input is not JSON";
      told.push({ type: "tool-input-error", ...head, input, errorText, ...this.#provider(0.1) });
      return told;
    }
    told.push({ type: "tool-input-available", ...head, input, ...this.#provider() });
    if (this.chance(0.05)) told.push({ type: "tool-input-available", ...head, input });
    const result = { toolCallId, ...isProviders, ...(flags.dynamic && { dynamic: true }) };
    if (state === "approval") told.push(...this.#approval(toolCallId, result));
    if (state === "error") {
      const errorText = this.#pick(["away", "no such city 🏙"]);
      told.push({ type: "tool-output-error", ...result, errorText, ...this.#provider(0.2) });
    } else if (state === "available") told.push(...this.#outputs(result));
    return told;
  }

  /** The start of a call, and its input letter by letter. */
  #typed(head: object & { toolCallId: string }, input: unknown): Chunk[] {
    const { toolCallId } = head;
    const json = typeof input === "string" && input.startsWith("{") ? input : JSON.stringify(input);
    const chunks: Chunk[] = [{ type: "tool-input-start", ...head, ...this.#provider(0.2) }];
    for (let at = 0; at < json.length; ) {
      const end = at + 1 + this.below(8);
      const inputTextDelta = json.slice(at, end);
      chunks.push({ type: "tool-input-delta", toolCallId, inputTextDelta });
      at = end;
    }
    return chunks;
  }

  #outputs(result: object): Chunk[] {
    const type = "tool-output-available";
    const firsts = Array.from({ length: this.chance(0.2) ? 1 + this.below(3) : 0 }, (_, n) => ({
      type,
      ...result,
      output: { progress: n },
      preliminary: true,
    }));
    const output = this.chance(0.1) ? null : this.#pick(VALUES);
    return [...firsts, { type, ...result, output, ...this.#provider(0.2) }];
  }

  #approval(toolCallId: string, result: object): Chunk[] {
    this.#unique += 1;
    const approvalId = `approval-${this.#unique}`;
    const chunks: Chunk[] = [{ type: "tool-approval-request", approvalId, toolCallId }];
    if (this.chance(0.3)) return chunks;
    const approved = this.chance(0.5);
    const reason = this.chance(0.5) ? { reason: "it is mine" } : {};
    const more = { ...reason, ...this.#provider(0.2) };
    chunks.push({ type: "tool-approval-response", approvalId, approved, ...more });
    if (approved) return [...chunks, ...this.#outputs(result)];
    return [...chunks, { type: "tool-output-denied", toolCallId }];
  }

  #data(): Chunk[] {
    this.#unique += 1;
    const [type, id] = [this.#pick(["data-weather", "data-note"]), `d${this.#unique}`];
    if (this.chance(0.4)) return [{ type, data: this.#pick(VALUES) }];
    const count = 1 + this.below(3);
    return Array.from({ length: count }, (_, n) => ({ type, id, data: { n } }));
  }

  #single(): Chunk[] {
    this.#unique += 1;
    const sourceId = `s${this.#unique}`;
    const url = "https://a.example/";
    const mediaType = "text/plain";
    return [
      this.#pick<Chunk>([
        { type: "source-url", sourceId, url, ...this.#provider(0.2) },
        { type: "source-url", sourceId, url, title: "true" },
        { type: "source-document", sourceId, mediaType, title: "A page", filename: "a.txt" },
        { type: "file", url: "data:text/plain;base64,aGk=", mediaType },
        { type: "reasoning-file", url: "data:text/plain;base64,aGk=", mediaType },
        { type: "custom", kind: "openai.compaction", ...this.#provider(0.5) },
        { type: "message-metadata", messageMetadata: this.#metadataOfMessage() },
        { type: "error", errorText: "the model is away" },
      ]),
    ];
  }
}
