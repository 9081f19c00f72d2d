// The tool calls of a stream. Their ids are unique within a step at most, so each call gets its own
// number, and an output belongs to the latest call with its id.

import type { Draft, Slot } from "./draft.ts";
import { type Ending, type Headers, jsonOf } from "./operation.ts";

/** How many settled calls are remembered, since outputs may be repeated. */
const MOST_SETTLED = 256;

export interface Call {
  readonly id: string;
  /** The key of its input. */
  readonly input: string;
  readonly output: Slot;
  readonly step: number;
  /** Headers of the input. */
  headers: Headers;
  /** Headers of the output. */
  result: Headers;
  /** Whether the whole input is known. */
  isTold: boolean;
  /** Whether its last output is known. */
  isSettled: boolean;
  /** The input as written, to recognise a repeat. */
  said?: string | undefined;
}

export class Calls {
  readonly #draft: Draft;
  readonly #latest = new Map<string, Call>();
  readonly #settled: Call[] = [];
  /** The calls begun in this step. */
  readonly #begun = new Set<Call>();
  #count = 0;
  #step = 0;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** Ends the step: no more inputs, though outputs of its calls may follow. */
  nextStep(): void {
    this.#step += 1;
    for (const call of this.#begun) {
      // An output repeats these headers only.
      const { toolCallId = call.id, toolName } = call.headers;
      call.headers = { toolCallId, ...(toolName !== undefined && { toolName }) };
      call.said = undefined;
    }
    this.#begun.clear();
  }

  /** Forgets the calls of this step, which were taken back. */
  dropStep(): void {
    for (const call of this.#begun) this.#forget(call);
  }

  latest(id: string): Call | undefined {
    return this.#latest.get(id);
  }

  isCurrent({ step }: Call): boolean {
    return step === this.#step;
  }

  /** Begins another call, even if its id was used before. Without an id, its key serves as one. */
  begin(id: string, headers: Headers = {}): Call {
    const n = this.#count++;
    const input = `tool-input-${n}`;
    const call: Call = {
      id: id || input,
      input,
      output: { key: `tool-output-${n}` },
      step: this.#step,
      headers: { toolCallId: id || input, ...headers },
      result: {},
      isTold: false,
      isSettled: false,
    };
    const before = this.#latest.get(call.id);
    if (before) this.breakOff(before);
    this.#latest.set(call.id, call);
    this.#begun.add(call);
    return call;
  }

  /** Adds headers to a call. */
  describe(call: Call, headers: Headers): void {
    call.headers = { ...call.headers, ...headers };
    this.#draft.describe(call.input, headers);
  }

  /** Adds a piece of the input. */
  stream(call: Call, text: string): void {
    if (call.isTold) return;
    if (this.#draft.isOpen(call.input)) this.#draft.append(call.input, text);
    else this.#draft.open(call.input, "tool-input", text, call.headers);
  }

  /** Writes the whole input, whether it was streamed or not. */
  tell(call: Call, data: unknown): void {
    if (call.isTold) return;
    call.isTold = true;
    const whole = data ?? null;
    if (this.#draft.isOpen(call.input)) this.#draft.close(call.input, whole);
    else this.#draft.put({ key: call.input }, "tool-input", whole, { headers: call.headers });
  }

  /** Writes a whole input that may be repeated within its step. */
  tellOnce(call: Call, data: unknown): void {
    this.tell(call, data);
    call.said = sayingOf(call.headers, data);
  }

  /** Whether exactly this input was written already. */
  isSame(call: Call, data: unknown, headers: Headers): boolean {
    const said = sayingOf({ ...call.headers, ...headers }, data);
    return said !== undefined && said === call.said;
  }

  /** Ends an incomplete input. */
  breakOff(call: Call, status: Ending = "failed"): void {
    call.isTold ||= this.#draft.isOpen(call.input);
    this.#draft.close(call.input, undefined, status);
  }

  /** Writes the output of a call. Headers of an earlier output stay unless they are replaced. */
  answer(call: Call, data: unknown, state: string, headers: Headers = {}): void {
    const { toolCallId = call.id, toolName } = call.headers;
    call.result = { toolCallId, ...(toolName && { toolName }), ...call.result, ...headers };
    const beside = { headers: { ...call.result, state }, role: "tool" as const };
    // If this step is taken back, outputs of calls from earlier steps stay.
    call.output.isLasting = !this.isCurrent(call);
    if (state === "preliminary") this.#draft.change(call.output, "tool-output", data, beside);
    else {
      this.#draft.put(call.output, "tool-output", data, beside);
      this.settle(call);
    }
  }

  /** Only repeats can follow for this call in this stream. */
  settle(call: Call): void {
    call.said = call.output.said = undefined;
    if (call.isSettled) return;
    call.isSettled = true;
    this.#settled.push(call);
    const oldest = this.#settled.length > MOST_SETTLED && this.#settled.shift();
    if (oldest) this.#forget(oldest);
  }

  #forget(call: Call): void {
    this.#begun.delete(call);
    if (this.#latest.get(call.id) === call) this.#latest.delete(call.id);
  }
}

function sayingOf(headers: Headers, data: unknown): string | undefined {
  return jsonOf([data, Object.entries(headers).sort()]);
}
