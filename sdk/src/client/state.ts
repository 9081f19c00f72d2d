// The shared state (P9.1, P9.2): the session's tree, folded from `attached` and `state.change`, and
// above it this page's own changes until the session has answered them.

import {
  type AttachedFrame,
  type Json,
  type ServerFrame,
  type SharedState,
  type StateChangeFrame,
  type StateOp,
  type StateTree,
  toJson,
} from "../protocol/index.ts";
import { Emitter } from "./emitter.ts";
import { type Engine, type Feature, readList } from "./feature.ts";
import { newId } from "./ids.ts";
import type { Session } from "./session.ts";
import { applied, keeping, mayBe, type StatePath, valueAt } from "./state-tree.ts";

/** The shared state of a session, read and changed; `T` is the type of its root. */
export function sharedState<T extends object = StateTree>(session: Session): StateFeature<T> {
  return session.feature(begin) as unknown as StateFeature<T>;
}

/** The type of the place that a path leads to, where it is known. */
export type At<T, P extends StatePath> = P extends readonly []
  ? T
  : P extends readonly [infer K, ...infer R extends StatePath]
    ? K extends keyof NonNullable<T>
      ? At<NonNullable<T>[K], R> | undefined
      : unknown
    : unknown;

/** Collects the operations of one change. */
export interface StateBatch {
  set(path: StatePath, value: unknown): void;
  /** Removing what is not there changes nothing. */
  remove(path: StatePath): void;
  /** Adds `by`, 1 by default; nothing counts as 0. Increments of several clients add up. */
  increment(path: StatePath, by?: number): void;
  /** Empties the tree. */
  reset(): void;
}

/** An own change: above the session's tree until that contains it. */
interface Own {
  readonly ops: StateOp[];
  /** Whether there was a connection for it. */
  isSent: boolean;
  /** Whether a tree that was told anew may contain it: its answer tells. */
  isOpen?: boolean;
  /** The serial of a change that looks like this one, told before the answer. */
  echo?: string;
  /** Its serial, once the session took it. */
  serial?: string;
}

const begin = (engine: Engine) => new StateFeature(engine);

export class StateFeature<T extends object = StateTree> implements Feature {
  /** The tree as shown; another object at each change, with unchanged parts kept. */
  value: T;
  readonly #engine: Engine;
  readonly #events = new Emitter<{ change: undefined }>();
  /** The session's tree, and the serial of its latest change. */
  #tree: StateTree = {};
  #version = "";
  /**
   * The tree below the own changes, and its version. It stays behind while it is open whether the
   * session's tree contains one of them.
   */
  #base: SharedState = { value: {}, version: "" };
  /** Changes that wait for the tree which is being read. */
  #early: StateChangeFrame[] | undefined;
  /** Whether the replay has still to bring the tree, if there is any. */
  #isDue = false;
  #own: Own[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    const { state } = engine.options.initial ?? {};
    if (state) this.#begin(state);
    this.#base = { value: this.#tree, version: this.#version };
    this.value = this.#tree as T;
    if (engine.link.attached) this.#read();
  }

  /** The tree, or the part at a path: `undefined` where nothing is. */
  get<const P extends StatePath = []>(path?: P): At<T, P> {
    return valueAt(this.value as StateTree, path ?? []) as At<T, P>;
  }

  /** Calls `listener` when the part at a path has changed; returns its removal. */
  subscribe<const P extends StatePath>(path: P, listener: (value: At<T, P>) => void): () => void {
    let was = this.get(path);
    return this.#events.on("change", () => {
      const is = this.get(path);
      if (is === was) return;
      was = is;
      listener(is);
    });
  }

  /** Sets the value at a path; missing parents become objects. */
  set(path: StatePath, value: unknown): Promise<void> {
    return this.batch((batch) => batch.set(path, value));
  }

  /** Removes the part at a path. */
  remove(path: StatePath): Promise<void> {
    return this.batch((batch) => batch.remove(path));
  }

  /** Adds to the number at a path, 1 by default. */
  increment(path: StatePath, by?: number): Promise<void> {
    return this.batch((batch) => batch.increment(path, by));
  }

  /**
   * Makes one change of the operations that `collect` names, all or none: it shows at once, is sent
   * again after a reconnect and counts once. Refused, it is taken back, and this rejects. If
   * `collect` throws, nothing is sent. With `ifVersion`, another version rejects with `conflict`.
   */
  async batch(
    collect: (batch: StateBatch) => void,
    options: { ifVersion?: string } = {},
  ): Promise<void> {
    const given: object[] = [];
    collect({
      set: (path, value) => void given.push({ op: "set", path, value }),
      remove: (path) => void given.push({ op: "remove", path }),
      increment: (path, by = 1) => void given.push({ op: "increment", path, by }),
      reset: () => void given.push({ op: "reset" }),
    });
    if (given.length === 0) return;
    // As everybody else gets it, and whatever the page does to its objects later.
    const ops = JSON.parse(toJson(given)) as StateOp[];
    const own: Own = { ops, isSent: this.#engine.link.attached !== undefined };
    this.#own.push(own);
    this.#show();
    try {
      const frame = { ...options, type: "state", id: newId(), ops } as const;
      const { serial } = await this.#engine.link.request(frame);
      own.serial = serial;
    } catch (error) {
      this.#own = this.#own.filter((it) => it !== own);
      throw error;
    } finally {
      this.#show();
    }
  }

  /** The serial of the latest change that this page has, for `ifVersion`; `""` before the first. */
  get version(): string {
    return this.#version;
  }

  attached({ resumed, state }: AttachedFrame): void {
    for (const own of this.#own) {
      own.isOpen = own.isSent;
      own.isSent = true;
    }
    if (resumed) {
      if (this.#early) this.#read();
      return;
    }
    // The session may be another one of the same name, whose serials do not compare (P3.6).
    this.#own = this.#own.filter(({ serial }) => serial === undefined);
    for (const own of this.#own) delete own.echo;
    this.#early = undefined;
    this.#version = "";
    this.#isDue = !state;
    if (state) this.#begin(state);
    this.#keep();
  }

  take(frame: ServerFrame): void {
    if (frame.type === "caught-up" && this.#isDue) {
      this.#isDue = false;
      this.#tree = {};
    } else if (frame.type === "state.change") this.#change(frame);
    else return;
    this.#keep();
  }

  #change(frame: StateChangeFrame): void {
    const { serial, client, ops } = frame;
    if (serial <= this.#version) return;
    if (this.#early && !ops.some(({ path }) => path.length === 0)) {
      this.#early.push(frame);
      return;
    }
    this.#early = undefined;
    this.#isDue = false;
    this.#tree = applied(this.#tree, ops);
    this.#version = serial;
    if (client !== this.#engine.link.attached?.client) return;
    if (this.#own.some((it) => it.serial === serial)) return;
    // Most likely the first that is unanswered: its answer tells.
    const own = this.#own.find((it) => !it.serial && !it.echo);
    if (own && mayBe(ops, own.ops)) own.echo = serial;
  }

  #begin({ value, version }: SharedState): void {
    this.#tree = value;
    this.#version = version;
  }

  /** Reads the tree that this feature was too late for. */
  #read(): void {
    this.#early ??= [];
    readList<SharedState>(this.#engine, "state", (state) => {
      const early = this.#early;
      if (!early) return;
      this.#early = undefined;
      for (const own of this.#own) own.isOpen = true;
      this.#begin(state);
      for (const frame of early) this.#change(frame);
      this.#keep();
    });
  }

  #show(): void {
    this.#keep();
    this.#engine.changed();
  }

  /** Shows the session's tree and, above it, the own changes that it lacks. */
  #keep(): void {
    const isOpen = this.#own.some((own) => own.isOpen && !own.serial);
    if (!isOpen) this.#base = { value: this.#tree, version: this.#version };
    const { value, version } = this.#base;
    let tree = value;
    this.#own = this.#own.filter(({ ops, serial, echo }) => {
      if (serial ? serial <= version : echo && echo <= version) return !serial;
      const next = applied(tree, ops);
      // One that changed nothing is told to nobody.
      const isVain = serial !== undefined && next === tree;
      tree = next;
      return !isVain;
    });
    const was = this.value as StateTree;
    this.value = keeping(was as Json, tree) as T;
    if (this.value !== was) this.#events.emit("change", undefined);
  }
}
