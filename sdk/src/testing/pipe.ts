// Bytes on their way over a wire: held while it is frozen, late while it is slow, in their order.

import type { Readable, Writable } from "node:stream";

/** A side that sends more is read no further until some of it has left. */
const HELD_MOST = 64;

/** The state of a wire, as far as bytes on their way see it. */
export class Pace {
  delayMs = 0;
  #thawed: Promise<void> | undefined;
  #thaw = () => {};

  get isFrozen(): boolean {
    return this.#thawed !== undefined;
  }

  freeze(): void {
    this.#thawed ??= new Promise((done) => {
      this.#thaw = done;
    });
  }

  thaw(): void {
    this.#thawed = undefined;
    this.#thaw();
  }

  /** When that comes out at the other end which goes in now. */
  due(): number {
    return this.delayMs === 0 ? 0 : performance.now() + this.delayMs;
  }

  async pass(due: number): Promise<void> {
    const wait = due - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    while (this.#thawed !== undefined) await this.#thawed;
  }
}

/** Carries everything from one side to the other, its end as well. */
export function carry(from: Readable, to: Writable, pace: Pace): void {
  const held: { chunk?: Buffer; due: number }[] = [];
  let isMoving = false;
  const move = async () => {
    isMoving = true;
    for (let next = held.shift(); next !== undefined; next = held.shift()) {
      if (pace.isFrozen || next.due > 0) await pace.pass(next.due);
      if (to.destroyed) break;
      if (next.chunk === undefined) to.end();
      else if (!to.write(next.chunk)) await room(to);
      if (from.isPaused()) from.resume();
    }
    isMoving = false;
  };
  const take = (chunk?: Buffer) => {
    held.push({ ...(chunk && { chunk }), due: pace.due() });
    if (held.length >= HELD_MOST) from.pause();
    if (!isMoving) void move();
  };
  from.on("data", take);
  from.on("end", () => take());
}

function room(to: Writable): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      for (const name of ["drain", "close"]) to.off(name, end);
      done();
    };
    for (const name of ["drain", "close"]) to.on(name, end);
  });
}
