// The usual link to a session: one WebSocket at a time.

import type { ConnectionOptions, Owner } from "../connection/types.ts";
import { readFrames, type ServerFrame, type SessileError } from "../protocol/index.ts";
import { AgentLink, type Pending, type Wire } from "./link.ts";

const PING_MS = 10_000;
/** Two pings without an answer. */
const SILENCE_MS = 25_000;
const RENEW_MS = 30_000;

class SocketLink extends AgentLink {
  #socket: WebSocket | undefined;
  #expiresAt = 0;
  #sent = new Map<unknown, Pending>();

  protected flush(): void {
    if (!this.#socket) this.unsure();
    // An array is no larger than a frame may be (P13.6).
    while (this.#socket && this.waiting[0]) {
      let room = this.limits.frameBytes / 3;
      const fits = this.waiting.findIndex(({ text }, at) => {
        room -= text.length + 1;
        return at > 0 && room < 0;
      });
      const batch = this.waiting.splice(0, fits < 0 ? Infinity : fits);
      for (const pending of batch) this.#sent.set(pending.ref, pending);
      this.#socket.send(`[${batch.map(({ text }) => text)}]`);
    }
  }

  protected async hear(): Promise<SessileError | undefined> {
    const token = await this.tokens.get();
    if (!this.isOn) return undefined;
    const url = `${this.address.replace("http", "ws")}/connect?${this.query()}`;
    const Socket = this.options.WebSocket ?? WebSocket;
    const socket = new Socket(url, ["sessile.v1", `sessile.token.${token}`]);
    let heardAt = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      // Whoever comes back with a fresh token before the old one expires is never refused (P2.6).
      const isStale = this.tokens.canRenew && now > this.#expiresAt - RENEW_MS;
      if (now - heardAt > SILENCE_MS || (this.#socket && isStale)) this.quit?.();
      // Keeps the connection, and with it the leases (P6.8).
      else this.#socket?.send("ping");
    }, PING_MS);
    const code = await new Promise<number>((done) => {
      this.quit = () => done(0);
      socket.onclose = (event) => done(event.code);
      socket.onmessage = ({ data }) => {
        heardAt = Date.now();
        if (data !== "pong") this.#take(socket, readFrames(data));
      };
    });
    clearInterval(timer);
    socket.onmessage = null;
    socket.close();
    this.#socket = undefined;
    this.unsure(this.#sent.values());
    this.#sent.clear();
    return this.closed(code);
  }

  #take(socket: WebSocket, frames: ServerFrame[]): void {
    for (const frame of frames) {
      if (frame.type !== "attached") continue;
      this.#socket = socket;
      this.#expiresAt = frame.expiresAt;
      this.flush();
    }
    this.take(frames);
    for (const frame of frames) {
      if (frame.type === "probe") this.send({ type: "seen", n: frame.n });
      if (frame.type !== "ack" && frame.type !== "nack") continue;
      const pending = this.#sent.get(frame.ref);
      this.#sent.delete(frame.ref);
      if (pending) this.settle(pending, frame);
    }
  }
}

/** Speaks and hears over a WebSocket: the link unless another is given. */
export function overSocket(options: ConnectionOptions, owner: Owner): Wire {
  return new SocketLink(options, owner);
}
