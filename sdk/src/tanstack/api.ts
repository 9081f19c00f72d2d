// A session over fetch alone: frames by POST, and what becomes of it as an event stream.

import { readFrameEvents } from "../connection/event-stream.ts";
import { addressOf, readJson } from "../connection/http.ts";
import { TokenSource } from "../connection/token.ts";
import type { ConnectionOptions, ReadInit } from "../connection/types.ts";
import {
  type ClientFrame,
  type ErrorInfo,
  type ServerFrame,
  SessileError,
} from "../protocol/index.ts";

export type ApiOptions = Pick<ConnectionOptions, "url" | "session" | "token" | "fetch">;

type Answer = { type: "ack"; result: unknown } | { type: "nack"; error: ErrorInfo };

/** How often something that did not arrive is sent again, and after how long at first. */
const TRIES = 7;
const RETRY_MS = 100;

export class SessionApi {
  readonly #address: string;
  readonly #tokens: TokenSource;
  readonly #fetch: typeof fetch;

  constructor(options: ApiOptions) {
    this.#address = addressOf(options);
    this.#tokens = new TokenSource(options.token);
    this.#fetch = options.fetch ?? fetch.bind(globalThis);
  }

  /** Reads; `path` is relative to the session. */
  read<T>(path: string): Promise<T> {
    return this.#ask<T>(path && !path.startsWith("?") ? `/${path}` : path);
  }

  /**
   * Sends frames, in order, and gives their results. They are sent again where the network or
   * the server failed: give each an `id` or a `seq`, so that this is safe (P13.1, P5.3).
   */
  async send(frames: readonly ClientFrame[], tries = TRIES): Promise<unknown[]> {
    const results: unknown[] = [];
    for (let left = frames; left.length > 0; left = frames.slice(results.length)) {
      const body = JSON.stringify(left);
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", body, headers };
      const answers = await this.#ask<Answer[]>("/frames", init, tries);
      for (const answer of answers) {
        if (answer.type === "ack") results.push(answer.result);
        else if (answer.error.code !== "rate-limited") throw SessileError.of(answer.error);
        else {
          await sleep(answer.error.retryAfterMs ?? 1_000);
          break;
        }
      }
    }
    return results;
  }

  /**
   * The frames of an event stream (P3.8), until it breaks off or is aborted. Those come together
   * that belong together: what a turn ends with is told in several events.
   */
  async *events(query: Record<string, string>, signal: AbortSignal): AsyncGenerator<ServerFrame[]> {
    const token = await this.#tokens.get();
    const url = `${this.#address}/events?${new URLSearchParams(query)}`;
    const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
    try {
      const response = await this.#fetch(url, { headers, signal });
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        return;
      }
      for await (const frames of readFrameEvents(response.body)) {
        yield frames.filter((frame) => frame.type !== "closing");
      }
    } catch (error) {
      // The reader comes back; the reads over HTTP say what is wrong for good.
      if (error instanceof SessileError) throw error;
    }
  }

  async #ask<T>(path: string, init?: ReadInit, most = TRIES): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await readJson<T>(`${this.#address}${path}`, this.#tokens, this.#fetch, init);
      } catch (error) {
        const { code } = error as SessileError;
        if (tries >= most || (code !== "unreachable" && code !== "internal")) throw error;
        await sleep(RETRY_MS * 2 ** (tries - 1));
      }
    }
  }
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(over, ms);
    function over() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      done();
    }
    signal?.addEventListener("abort", over, { once: true });
  });
}
