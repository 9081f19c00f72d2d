// A WebSocket whose bytes go over a wire.

import type { Cuttable, Wire } from "./wire.ts";

type Handler = ((event: never) => void) | null;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** The code of a connection that broke without a word. */
const BROKEN = 1006;

/** The class of WebSockets of a wire. */
export function socketOn(wire: Wire): typeof WebSocket {
  class WireSocket extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(wire, url, protocols);
    }
  }
  return WireSocket as unknown as typeof WebSocket;
}

class Socket extends EventTarget implements Cuttable {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readonly CONNECTING = CONNECTING;
  readonly OPEN = OPEN;
  readonly CLOSING = CLOSING;
  readonly CLOSED = CLOSED;
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  readyState = CONNECTING;
  protocol = "";
  readonly extensions = "";
  readonly url: string;
  readonly #wire: Wire;
  #under: WebSocket | undefined;

  constructor(wire: Wire, url: string | URL, protocols?: string | string[]) {
    super();
    this.#wire = wire;
    this.url = String(url);
    if (wire.network.isDropped) {
      wire.refuse(() => this.cut());
      return;
    }
    wire.open.add(this);
    wire.up.put(0, () => this.#begin(protocols));
  }

  get bufferedAmount(): number {
    return this.#under?.bufferedAmount ?? 0;
  }

  get binaryType(): BinaryType {
    return "blob";
  }

  send(data: string): void {
    if (this.readyState !== OPEN) throw new DOMException("not open", "InvalidStateError");
    this.#wire.up.put(
      data.length,
      () => this.#under?.readyState === OPEN && this.#under.send(data),
    );
  }

  close(code?: number, reason?: string): void {
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    // After all that was sent: the network still has it.
    this.#wire.up.put(0, () => {
      this.#under?.close(code, reason);
      if (!this.#under) this.#end(BROKEN, "", false);
    });
  }

  cut(): void {
    const under = this.#under;
    this.#under = undefined;
    // A browser cannot leave without a close frame, so the session hears of it; this end does not.
    under?.close();
    this.#end(BROKEN, "", false);
  }

  #begin(protocols?: string | string[]): void {
    if (this.readyState !== CONNECTING) return;
    const under = new this.#wire.beneath.WebSocket(this.url, protocols);
    this.#under = under;
    /** Passes an event on, over the wire, unless this connection is over meanwhile. */
    const arrive = (bytes: number, take: () => void) =>
      this.#wire.down.put(bytes, () => this.#under === under && take());
    under.onopen = () =>
      arrive(0, () => {
        if (this.readyState !== CONNECTING) return;
        this.readyState = OPEN;
        this.protocol = under.protocol;
        this.#tell("open", new Event("open"));
      });
    under.onmessage = ({ data }) =>
      arrive(String(data).length, () => {
        if (this.readyState === OPEN) this.#tell("message", new MessageEvent("message", { data }));
      });
    under.onclose = ({ code, reason, wasClean }) =>
      arrive(0, () => this.#end(code, reason, wasClean));
  }

  #end(code: number, reason: string, wasClean: boolean): void {
    this.#wire.open.delete(this);
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    if (!wasClean) this.#tell("error", new Event("error"));
    this.#tell("close", new CloseEvent("close", { code, reason, wasClean }));
  }

  #tell(name: "open" | "message" | "close" | "error", event: Event): void {
    this[`on${name}`]?.(event as never);
    this.dispatchEvent(event);
  }
}
