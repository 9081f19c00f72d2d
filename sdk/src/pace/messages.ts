// Messages whose texts grow at an even pace: for those who look at them in every frame.

import type { SessionSnapshot } from "../client/types.ts";
import type { Message } from "../protocol/index.ts";
import { Flow } from "./flow.ts";
import { type Clock, PAGE } from "./page.ts";

/** A list as last shown. */
interface Shown {
  count: number;
  list: readonly Message[];
}

export class PacedMessages {
  readonly #ms: number;
  readonly #clock: Clock;
  /** The texts that may grow, by the serials of their messages. */
  #flows = new Map<string, Flow>();
  #messages: readonly Message[] = [];
  #wasConnected = false;
  /** How often something else was to be shown. */
  #count = 0;
  readonly #shown = new WeakMap<readonly Message[], Shown>();
  readonly #made = new WeakMap<Message, Message>();

  constructor(ms: number, clock = PAGE) {
    this.#ms = ms;
    this.#clock = clock;
  }

  /** Whether some text is not shown to its end. */
  get isBehind(): boolean {
    return [...this.#flows.values()].some((flow) => flow.isBehind);
  }

  /** Looks at the session; returns whether texts that were there already show more. */
  look({ messages, turns, connection }: SessionSnapshot): boolean {
    const now = this.#clock.now();
    const isConnected = connection.state === "connected";
    // A replay is no stream: whatever was missed is there at once.
    const isLive = isConnected && this.#wasConnected && this.#clock.isSeen();
    this.#wasConnected = isConnected;
    if (messages !== this.#messages) {
      this.#messages = messages;
      this.#count += 1;
      const were = this.#flows;
      this.#flows = new Map();
      for (const { serial, status, data, turn } of messages) {
        if (status !== "streaming" || typeof data !== "string") continue;
        const flow = were.get(serial) ?? new Flow(turn);
        flow.grow(data, this.#ms, now);
        this.#flows.set(serial, flow);
      }
    }
    if (!this.isBehind) return false;
    const cancelled = new Set(turns.flatMap(({ id, cancel }) => (cancel ? [id] : [])));
    let isMore = false;
    for (const flow of this.#flows.values()) {
      const isPaced = isLive && this.#ms > 0 && !cancelled.has(flow.turn ?? "");
      if (isPaced ? flow.advance(now) : flow.finish()) isMore = true;
    }
    if (isMore) this.#count += 1;
    return isMore;
  }

  /** A list of messages as it is to be shown: the same one where nothing is held back. */
  show<M extends Message>(list: readonly M[]): readonly M[] {
    const known = this.#shown.get(list);
    if (known?.count === this.#count) return known.list as readonly M[];
    const made = this.isBehind ? list.map((message) => this.#cut(message)) : list;
    const isSame = made.every((message, at) => message === list[at]);
    const shown: Shown = { count: this.#count, list: isSame ? list : made };
    this.#shown.set(list, shown);
    return shown.list as readonly M[];
  }

  #cut<M extends Message>(message: M): M {
    const { serial, data } = message;
    const flow = this.#flows.get(serial);
    if (!flow?.isBehind || typeof data !== "string") return message;
    const text = data.slice(0, flow.shown);
    const made = this.#made.get(message);
    if (made?.data === text) return made as M;
    const cut = { ...message, data: text };
    this.#made.set(message, cut);
    return cut;
  }
}
