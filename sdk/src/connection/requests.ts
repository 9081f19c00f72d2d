// Requests to a session: frames in order, and their callers (P13.1).

import type { AckFrame, ClientFrame, NackFrame, ResultOf } from "../protocol/index.ts";
import { bytesOf, SessileError, toJson } from "../protocol/index.ts";

/** A frame as sent. */
export interface Outgoing {
  /** 0 for a frame without a caller. */
  readonly ref: number;
  readonly text: string;
}

interface Pending extends Outgoing {
  readonly isOnce: boolean;
  /** Its chain (P13.8). */
  readonly chain: number | undefined;
  done(result: never): void;
  fail(error: SessileError): void;
}

export class Requests {
  /** Unanswered requests, in the order of the calls. */
  readonly #pending = new Map<number, Pending>();
  /** Frames to be sent, in order. */
  #queue: Outgoing[] = [];
  #lastRef = 0;

  /** Queues a frame to be sent until answered, or, if `isOnce`, on one connection only. */
  ask<F extends ClientFrame>(frame: F, isOnce: boolean, most: number): Promise<ResultOf<F>> {
    return new Promise((done, fail) => {
      this.#lastRef += 1;
      const ref = this.#lastRef;
      const { chain } = frame;
      const pending = { ref, text: encode({ ref, ...frame }, most), isOnce, chain, done, fail };
      this.#pending.set(ref, pending);
      this.#queue.push(pending);
    });
  }

  /** Queues a frame without a caller. */
  tell(frame: ClientFrame, most: number): void {
    this.#queue.push({ ref: 0, text: encode(frame, most) });
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Takes the next batch: as much as fits together, and at least one frame. */
  next(mostLength: number, mostFrames = Infinity): Outgoing[] {
    let length = 0;
    const end = this.#queue.findIndex(({ text }, at) => {
      length += text.length + 1;
      return at > 0 && (at >= mostFrames || length > mostLength);
    });
    return this.#queue.splice(0, end < 0 ? Infinity : end);
  }

  /** An answer arrived. Returns whether a caller waited for it. */
  settle(answer: AckFrame | NackFrame): boolean {
    const pending = this.#take(answer.ref as number);
    if (answer.type === "ack") pending?.done(answer.result as never);
    else {
      pending?.fail(SessileError.of(answer.error));
      this.#break(pending?.chain);
    }
    return pending !== undefined;
  }

  /** Frames of a chain after a refused one are not sent, as in the session itself. */
  #break(chain: number | undefined): void {
    if (chain === undefined) return;
    const waiting = this.#queue.filter(({ ref }) => this.#pending.get(ref)?.chain === chain);
    this.#queue = this.#queue.filter((it) => !waiting.includes(it));
    this.refuse(waiting, new SessileError("skipped", "a frame before it was refused"));
  }

  /** These were refused as a whole. */
  refuse(batch: readonly Outgoing[], error: SessileError): void {
    for (const { ref } of batch) this.#take(ref)?.fail(error);
  }

  /**
   * It is unknown which frames arrived. Callers that ask once learn of it before the others are
   * queued again: a caller that repeats by rules of its own goes ahead of new frames.
   */
  lose(): void {
    const error = new SessileError("disconnected", "no answer came; the connection was lost");
    const all = [...this.#pending.values()];
    this.#queue = all.filter(({ isOnce }) => !isOnce);
    this.refuse(
      all.filter(({ isOnce }) => isOnce),
      error,
    );
  }

  /** There will be no answers. */
  failAll(error: SessileError): void {
    this.#queue = [];
    this.refuse([...this.#pending.values()], error);
  }

  #take(ref: number): Pending | undefined {
    const pending = this.#pending.get(ref);
    this.#pending.delete(ref);
    return pending;
  }
}

/** A frame as text, unless it is larger than one may be (P14). */
function encode(frame: object, most: number): string {
  const text = toJson(frame);
  const bytes = bytesOf(text, most);
  if (bytes <= most) return text;
  throw new SessileError(
    "too-large",
    `unable to send; ${bytes} bytes are more than the ${most} of one frame: send several ` +
      "messages, or appends",
  );
}
