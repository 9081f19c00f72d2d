// The link to a session where there are no WebSockets: it publishes by HTTP, one request after
// another, and hears by server-sent events (P12.1, P3.8).

import { readFrameEvents } from "../connection/event-stream.ts";
import { readJson } from "../connection/http.ts";
import type { ConnectionOptions, Owner } from "../connection/types.ts";
import { type ErrorInfo, type ServerFrame, SessileError } from "../protocol/index.ts";
import { AgentLink, type Pending, type Wire } from "./link.ts";

/** A comment comes every 20 s (P3.8). */
const SILENCE_MS = 45_000;
/** Refusals of a request as a whole that no repeat can help. */
const FINAL = [400, 403, 404, 410, 413];
/** Frames in one request, and their length; a request is answered when all of it is taken. */
const MOST_FRAMES = 100;
const MOST_LENGTH = 200_000;

function isFinal({ status, code }: SessileError): boolean {
  return FINAL.includes(status) || code === "wrong-url";
}

type Answer = { result?: unknown; error?: ErrorInfo };

class FetchLink extends AgentLink {
  readonly #fetch = this.options.fetch ?? fetch.bind(globalThis);
  #isPosting = false;

  protected flush(): void {
    if (!this.#isPosting) void this.#post();
  }

  protected async hear(): Promise<SessileError | undefined> {
    const stop = new AbortController();
    this.quit = () => stop.abort();
    let timer = setTimeout(this.quit, SILENCE_MS);
    const alive = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        clearTimeout(timer);
        if (!stop.signal.aborted) timer = setTimeout(() => stop.abort(), SILENCE_MS);
        controller.enqueue(chunk);
      },
    });
    try {
      const body = await this.#open(stop.signal);
      if (body instanceof SessileError) return body;
      for await (const frames of readFrameEvents(body.pipeThrough(alive))) {
        const closing = frames.find((frame) => frame.type === "closing");
        if (closing) return this.closed(closing.code);
        this.take(frames as ServerFrame[]);
      }
      return undefined;
    } finally {
      stop.abort();
      clearTimeout(timer);
    }
  }

  async #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array> | SessileError> {
    const headers = { authorization: `Bearer ${await this.tokens.get()}` };
    const response = await this.#fetch(`${this.address}/events?${this.query()}`, {
      headers,
      signal,
    });
    if (response.ok && response.body) return response.body;
    const { error } = (await response.json()) as { error: ErrorInfo };
    const known = SessileError.of(error);
    if (isFinal(known) || (error.status === 401 && !this.tokens.canRenew)) return known;
    throw known;
  }

  /** One request at a time, so that frames keep their order; the next takes what waits. */
  async #post(): Promise<void> {
    this.#isPosting = true;
    for (let failures = 0; this.waiting.length > 0; ) {
      const batch = this.#batch();
      try {
        const body = `[${batch.map(({ text }) => text)}]`;
        const headers = { "content-type": "application/json" };
        const init = { method: "POST", body, headers };
        const url = `${this.address}/frames`;
        const answers = await readJson<Answer[]>(url, this.tokens, this.#fetch, init);
        failures = 0;
        this.waiting = this.waiting.filter((one) => !batch.includes(one));
        batch.forEach((pending, at) => {
          this.settle(pending, answers[at] ?? {});
        });
      } catch (problem) {
        const error = problem as SessileError;
        if (isFinal(error)) {
          this.waiting = this.waiting.filter((one) => !batch.includes(one));
          for (const { fail } of batch) fail(error);
        } else {
          // Told before the pause, so that what is sent again comes before what is new.
          this.unsure();
          await this.pause(failures++);
        }
      }
    }
    this.#isPosting = false;
  }

  #batch(): Pending[] {
    let length = 0;
    const fits = this.waiting.findIndex(({ text }, at) => {
      length += text.length;
      return at > 0 && (at >= MOST_FRAMES || length > MOST_LENGTH);
    });
    return this.waiting.slice(0, fits < 0 ? undefined : fits);
  }
}

/** Publishes by HTTP and hears by server-sent events: give it to `createAgentSession` as `link`. */
export function overFetch(options: ConnectionOptions, owner: Owner): Wire {
  return new FetchLink(options, owner);
}
