// Requests to a session: frames in order, and the calls that wait for their answers (P13.1).

import type { AckFrame, ClientFrame, NackFrame, ResultOf } from "../protocol/index.ts";
import { bytesOf, SessileError, toJson } from "../protocol/index.ts";

/** A frame as it is sent. */
export interface Outgoing {
  /** 0 for one that nobody waits for. */
  readonly ref: number;
  readonly text: string;
}

interface Pending extends Outgoing {
  readonly isOnce: boolean;
  /** The chain that it stands in line with (P13.8). */
  readonly chain: number | undefined;
  done(result: never): void;
  fail(error: SessileError): void;
}

export class Requests {
  /** Requests that were not answered, in the order in which they were made. */
  readonly #pending = new Map<number, Pending>();
  /** Frames to be sent, in order. */
  #queue: Outgoing[] = [];
  #lastRef = 0;

  /** Asks for a frame to be sent until it is answered, or, `isOnce`, on one connection alone. */
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

  /** Asks for a frame to be sent that nobody waits for. */
  tell(frame: ClientFrame, most: number): void {
    this.#queue.push({ ref: 0, text: encode(frame, most) });
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Takes what is next: as much as goes together, and at least one frame. */
  next(mostLength: number, mostFrames = Infinity): Outgoing[] {
    let length = 0;
    const end = this.#queue.findIndex(({ text }, at) => {
      length += text.length + 1;
      return at > 0 && (at >= mostFrames || length > mostLength);
    });
    return this.#queue.splice(0, end < 0 ? Infinity : end);
  }

  /** An answer came. Says whether somebody waited for it. */
  settle(answer: AckFrame | NackFrame): boolean {
    const pending = this.#take(answer.ref as number);
    if (answer.type === "ack") pending?.done(answer.result as never);
    else {
      pending?.fail(SessileError.of(answer.error));
      this.#break(pending?.chain);
    }
    return pending !== undefined;
  }

  /** Frames in line behind one that was refused are not sent, as in the session itself. */
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
   * Nobody knows what arrived. Callers that ask once are told so, before the rest waits to be sent
   * again: one that asks again by rules of its own comes before what is new.
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
