// The tool calls of a stream. Their ids are unique within a step at most, so that each call has a
// number of its own; the outputs are those of the latest call of their id.

import type { Draft, Slot } from "./draft.ts";
import { type Ending, type Headers, jsonOf } from "./operation.ts";

/** Settled calls that are remembered, for an output that is said again. */
const MOST_SETTLED = 256;

export interface Call {
  readonly id: string;
  /** The key of its input. */
  readonly input: string;
  readonly output: Slot;
  readonly step: number;
  /** Of the input. */
  headers: Headers;
  /** Of the output. */
  result: Headers;
  /** The input is there as a whole. */
  isTold: boolean;
  /** Its last output is there. */
  isSettled: boolean;
  /** The input as it was told, to know it again. */
  said?: string | undefined;
}

export class Calls {
  readonly #draft: Draft;
  readonly #latest = new Map<string, Call>();
  readonly #settled: Call[] = [];
  /** Of this step. */
  readonly #begun = new Set<Call>();
  #count = 0;
  #step = 0;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** The inputs of this step are over; outputs of its calls may still come. */
  nextStep(): void {
    this.#step += 1;
    for (const call of this.#begun) {
      // All that an output says of it.
      const { toolCallId = call.id, toolName } = call.headers;
      call.headers = { toolCallId, ...(toolName !== undefined && { toolName }) };
      call.said = undefined;
    }
    this.#begun.clear();
  }

  /** The calls of this step were taken back. */
  dropStep(): void {
    for (const call of this.#begun) this.#forget(call);
  }

  latest(id: string): Call | undefined {
    return this.#latest.get(id);
  }

  isCurrent({ step }: Call): boolean {
    return step === this.#step;
  }

  /** Another call, also of an id that was there. Without an id, its key is one. */
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

  /** Headers that are known of it now; those that it was begun with stay. */
  describe(call: Call, headers: Headers): void {
    call.headers = { ...call.headers, ...headers };
    this.#draft.describe(call.input, headers);
  }

  /** The input as it comes. */
  stream(call: Call, text: string): void {
    if (call.isTold) return;
    if (this.#draft.isOpen(call.input)) this.#draft.append(call.input, text);
    else this.#draft.open(call.input, "tool-input", text, call.headers);
  }

  /** The input as a whole, whether it was streamed before or not. */
  tell(call: Call, data: unknown): void {
    if (call.isTold) return;
    call.isTold = true;
    const whole = data ?? null;
    if (this.#draft.isOpen(call.input)) this.#draft.close(call.input, whole);
    else this.#draft.put({ key: call.input }, "tool-input", whole, { headers: call.headers });
  }

  /** Tells an input that may be said again in its step. */
  tellOnce(call: Call, data: unknown): void {
    this.tell(call, data);
    call.said = sayingOf(call.headers, data);
  }

  /** Whether just this was told of the call. */
  isSame(call: Call, data: unknown, headers: Headers): boolean {
    const said = sayingOf({ ...call.headers, ...headers }, data);
    return said !== undefined && said === call.said;
  }

  /** The input ends before it is whole. */
  breakOff(call: Call, status: Ending = "failed"): void {
    call.isTold ||= this.#draft.isOpen(call.input);
    this.#draft.close(call.input, undefined, status);
  }

  /** The outcome of a call. Headers of an output before it that are not said anew stay. */
  answer(call: Call, data: unknown, state: string, headers: Headers = {}): void {
    const { toolCallId = call.id, toolName } = call.headers;
    call.result = { toolCallId, ...(toolName && { toolName }), ...call.result, ...headers };
    const beside = { headers: { ...call.result, state }, role: "tool" as const };
    // The output of a call of an earlier step stays when this step is taken back.
    call.output.isLasting = !this.isCurrent(call);
    if (state === "preliminary") this.#draft.change(call.output, "tool-output", data, beside);
    else {
      this.#draft.put(call.output, "tool-output", data, beside);
      this.settle(call);
    }
  }

  /** Nothing but what was said already can come of it in this stream. */
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
