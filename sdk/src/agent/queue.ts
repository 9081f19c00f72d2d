// A turn's pending tasks, in order. Consecutive operations on one message are one task: text grows,
// and the end joins it.

import { MOST_LENGTH, type Task } from "./output.ts";

/** Text and tasks that may wait before the source is paused. */
const MOST_WAITING = 64 * 1024;
const MOST_TASKS = 1024;

export class Queue {
  readonly #tasks: Task[] = [];
  /** The index of the first pending task. */
  #head = 0;
  /** Approximate length of the waiting text. */
  #waiting = 0;

  /** The next task. */
  get first(): Task | undefined {
    return this.#tasks[this.#head];
  }

  get isEmpty(): boolean {
    return this.#head === this.#tasks.length;
  }

  /** Whether nothing follows the first. */
  get isAlone(): boolean {
    return this.#head === this.#tasks.length - 1;
  }

  get isFull(): boolean {
    return this.#waiting >= MOST_WAITING || this.#tasks.length - this.#head >= MOST_TASKS;
  }

  /** All waiting tasks. */
  get all(): readonly Task[] {
    return this.#tasks.slice(this.#head);
  }

  /** Adds a task with its length of text. */
  add(task: Task, length: number): void {
    this.#waiting += length;
    if (this.#joins(task)) return;
    task.output.pending += 1;
    this.#tasks.push(task);
  }

  /** This much of the waiting text is in a frame now. */
  took(length: number): void {
    this.#waiting -= length;
  }

  /** The first task is done, and another takes its place. */
  replaceFirst(task: Task): void {
    this.#tasks[this.#head] = task;
  }

  /** The first task is done. */
  finish(): void {
    const output = this.first?.output;
    this.#head += 1;
    // Finished tasks are dropped now and then, all together.
    if (this.#head > MOST_TASKS || this.isEmpty) {
      this.#tasks.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#tasks.length === 0) this.#waiting = 0;
    output?.settle();
  }

  /** Whether a task is part of the one before it, which is about the same message. */
  #joins(task: Task): boolean {
    const last = this.isEmpty ? undefined : this.#tasks.at(-1);
    if (last?.output !== task.output) return false;
    switch (task.kind) {
      case "append":
        if (last.kind !== "append" && last.kind !== "begin") return false;
        last.until = task.until;
        return true;
      case "drop":
        if (last.kind !== "begin" && last.kind !== "whole") return false;
        this.#tasks.pop();
        task.output.settle();
        return true;
      case "end":
        return endJoins(last, task);
      default:
        return false;
    }
  }
}

function endJoins(last: Task, task: Task & { kind: "end" }): boolean {
  const { kind: _kind, output, ...change } = task;
  if (last.kind === "append") {
    Object.assign(last, task);
    return true;
  }
  if (last.kind === "whole" || last.kind === "end") {
    Object.assign(last, change);
    return true;
  }
  // The whole text is there: it need not grow.
  if (last.kind !== "begin" || output.text.length > MOST_LENGTH) return false;
  const data = change.data === undefined ? output.text.toWellFormed() : change.data;
  Object.assign(last, { kind: "whole", ...change, data });
  return true;
}
