// A connection without WebSockets: frames by HTTP, one request after another, and the session's
// frames by server-sent events (P12.1, P3.8).

import {
  type AckFrame,
  CLOSE,
  type NackFrame,
  type ServerFrame,
  SessileError,
} from "../protocol/index.ts";
import { Connection } from "./connection.ts";
import { readFrameEvents } from "./event-stream.ts";
import { readJson } from "./http.ts";
import type { ConnectionOptions, Owner, Timing } from "./types.ts";

/** A comment arrives every 20 s (P3.8), and the session cannot be asked: twice that is silence. */
const TIMING: Partial<Timing> = { pingMs: 12_000, pongMs: 45_000 };
/** Refusals of a whole request that no repeat can help. */
const FINAL = [400, 403, 404, 410, 413];
/** The close code of a WebSocket after such an answer (P13.3). */
const CLOSES: Partial<Record<number, number>> = {
  400: CLOSE.protocolError,
  401: CLOSE.unauthorized,
  403: CLOSE.forbidden,
  410: CLOSE.gone,
};
const LOST = 1006;
/** Frames in one request, which is answered when all of it is taken. */
const MOST_FRAMES = 100;
/** The first pause after a request that failed, and the longest. */
const PAUSE_MS = 250;
const PAUSE_MOST_MS = 15_000;

export class FetchConnection extends Connection {
  #stream: AbortController | undefined;
  /** The token that the stream was opened with. */
  #token: string | undefined;
  #isPosting = false;
  #failures = 0;
  /** Ends the pause after a request that failed. */
  #wake = () => {};

  constructor(options: ConnectionOptions, owner: Owner) {
    super(options, owner, TIMING);
  }

  /** Requests are independent of the stream. */
  protected get canSend(): boolean {
    return this.isOn;
  }

  protected open(token: string): void {
    const stream = new AbortController();
    this.#stream = stream;
    this.#token = token;
    // The network may be back.
    this.#wake();
    this.flush();
    void this.#listen(token, stream);
  }

  protected leave(): void {
    this.#stream?.abort();
    this.#stream = undefined;
    if (!this.isOn) this.#wake();
  }

  /** The session cannot be asked; a comment arrives by itself. */
  protected ping(): void {}

  /** A stream cannot change its token: it reconnects as if the old one had expired. */
  protected async renew(): Promise<void> {
    const stream = this.#stream;
    const isSame = (await this.tokens.get()) === this.#token;
    if (!isSame && this.#stream === stream) this.take({ type: "lost", code: CLOSE.unauthorized });
  }

  protected flush(): void {
    if (!this.#isPosting && !this.requests.isEmpty && this.isOn) void this.#post();
  }

  async #listen(token: string, stream: AbortController): Promise<void> {
    let code = LOST;
    try {
      const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
      const init = { headers, signal: stream.signal };
      const response = await this.fetch(`${this.address}/events?${this.query()}`, init);
      // A refusal gives its reason in events as well (P2.5); a proxy has answers of its own.
      const type = response.headers.get("content-type") ?? "";
      const isStream = response.ok || type.startsWith("text/event-stream");
      if (!isStream || !response.body) code = await this.#refusal(response, stream);
      else {
        const body = response.body.pipeThrough(this.#heard(stream));
        for await (const frames of readFrameEvents(body)) {
          if (this.#stream !== stream) return;
          const closing = frames.find((frame) => frame.type === "closing");
          if (closing) {
            code = closing.code;
            break;
          }
          this.hear(frames as ServerFrame[]);
        }
      }
    } catch {
      // The connection is lost; a request tells why, where that is unclear.
    }
    if (this.#stream === stream) this.take({ type: "lost", code });
  }

  /** Reports that something arrived, a comment too. */
  #heard(stream: AbortController): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, controller) => {
        if (this.#stream === stream) this.take({ type: "heard" });
        controller.enqueue(chunk);
      },
    });
  }

  /** The code of an answer that is no stream, if it is final; otherwise a request finds it. */
  async #refusal(response: Response, stream: AbortController): Promise<number> {
    const code = CLOSES[response.status];
    const body: Partial<Pick<NackFrame, "error">> = await response.json().catch(() => ({}));
    if (!code || !body.error?.code) return LOST;
    if (this.#stream === stream) this.refused(SessileError.of(body.error));
    return code;
  }

  /** One request at a time, so that frames keep their order; the next takes all waiting frames. */
  async #post(): Promise<void> {
    this.#isPosting = true;
    while (this.isOn && !this.requests.isEmpty) {
      // Three bytes a character, so that a body stays within the bound of a frame.
      const batch = this.requests.next(this.limits.frameBytes / 3, MOST_FRAMES);
      try {
        const headers = { "content-type": "application/json" };
        const init = { method: "POST", body: this.bodyOf(batch), headers };
        const url = `${this.address}/frames`;
        const answers = await readJson<(AckFrame | NackFrame)[]>(
          url,
          this.tokens,
          this.fetch,
          init,
        );
        this.#failures = 0;
        for (const answer of answers) this.#settle(answer);
      } catch (problem) {
        const error = problem as SessileError;
        if (FINAL.includes(error.status) || error.code === "wrong-url") {
          this.requests.refuse(batch, error);
        } else {
          this.lose();
          await this.#pause();
        }
      }
    }
    this.#isPosting = false;
  }

  #settle(answer: AckFrame | NackFrame): void {
    const isKnown = this.requests.settle(answer);
    if (!isKnown && answer.type === "nack") this.owner.failed?.(SessileError.of(answer.error));
  }

  /** Full jitter (P13.3). */
  #pause(): Promise<void> {
    const { backoffMs = PAUSE_MS, backoffMostMs = PAUSE_MOST_MS } = this.options.timing ?? {};
    const most = Math.min(backoffMostMs, backoffMs * 2 ** this.#failures);
    this.#failures += 1;
    return new Promise((done) => {
      const timer = setTimeout(done, Math.random() * most);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
