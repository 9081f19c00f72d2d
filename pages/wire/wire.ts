// The wire between the SDK and the network: the options `WebSocket` and `fetch` of a session, which
// a person may drop, freeze and slow. Nothing in the SDK knows of it.

import { CLOCK, type Clock, Line, type Pace } from "./line.ts";
import { socketOn } from "./socket.ts";

/** How the network stands. */
export interface Network {
  /** There is none: what was open has broken, what is new does not get through. */
  isDropped: boolean;
  /** Nothing arrives and nothing leaves, and nobody is told: connections stay as they are. */
  isFrozen: boolean;
  /** It is as slow as `SLOW`. */
  isSlow: boolean;
}

export const WHOLE: Network = { isDropped: false, isFrozen: false, isSlow: false };

/** A phone at the edge of its network. */
export const SLOW: Pace = { latencyMs: 600, bytesPerSecond: 4_000 };

/** How long an attempt takes to fail where there is no network, in milliseconds. */
const REFUSED_MS = 40;

/** The network beneath the wire: the platform's, or a test's. */
export interface Beneath {
  WebSocket: typeof WebSocket;
  fetch: typeof fetch;
  clock: Clock;
}

/** A connection on the wire, as the wire sees it. */
export interface Cuttable {
  /** The network is gone: both ends are left without a word. */
  cut(): void;
}

export class Wire {
  /** For `createSession({ WebSocket })`. */
  readonly WebSocket: typeof WebSocket;
  /** For `createSession({ fetch })`. */
  readonly fetch: typeof fetch;
  readonly beneath: Beneath;
  /** From here to the session, and back. */
  readonly up: Line;
  readonly down: Line;
  readonly open = new Set<Cuttable>();
  #network = WHOLE;

  constructor(beneath: Partial<Beneath> = {}) {
    this.beneath = {
      WebSocket: globalThis.WebSocket,
      fetch: globalThis.fetch.bind(globalThis),
      clock: CLOCK,
      ...beneath,
    };
    this.up = new Line(this.beneath.clock);
    this.down = new Line(this.beneath.clock);
    this.WebSocket = socketOn(this);
    this.fetch = (input, init) => this.#fetch(input, init);
  }

  get network(): Network {
    return this.#network;
  }

  set(change: Partial<Network>): void {
    this.#network = { ...this.#network, ...change };
    const { isDropped, isFrozen, isSlow } = this.#network;
    const pace = isSlow ? SLOW : undefined;
    if (isDropped) {
      // Bytes on their way are lost with the network.
      this.up.clear();
      this.down.clear();
      for (const connection of [...this.open]) connection.cut();
    }
    this.up.set(pace, isFrozen);
    this.down.set(pace, isFrozen);
  }

  /** Calls after as long as an attempt takes to fail. */
  refuse(call: () => void): void {
    this.beneath.clock.after(REFUSED_MS, call);
  }

  #fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    return new Promise((done, fail) => {
      const failed = () => fail(new TypeError("Failed to fetch"));
      if (this.#network.isDropped) return this.refuse(failed);
      const connection: Cuttable = { cut: () => end(failed) };
      const end = (settle: () => void) => {
        this.open.delete(connection);
        settle();
      };
      this.open.add(connection);
      init?.signal?.addEventListener("abort", () => end(() => fail(init.signal?.reason)));
      const asked = () =>
        this.beneath.fetch(input, init).then(
          async (response) => {
            const body = await response.arrayBuffer();
            const { status, statusText, headers } = response;
            // A status without a body refuses even an empty one.
            const copy = new Response(body.byteLength > 0 ? body : null, {
              ...{ status, statusText, headers },
            });
            this.down.put(body.byteLength, () => end(() => done(copy)));
          },
          (problem) => end(() => fail(problem)),
        );
      this.up.put(String(init?.body ?? "").length, asked);
    });
  }
}
