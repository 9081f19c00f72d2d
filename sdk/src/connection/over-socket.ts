// A connection over a WebSocket: the usual one.

import { readFrames, type ServerFrame, SessileError } from "../protocol/index.ts";
import { Connection, lastsMs } from "./connection.ts";

export class SocketConnection extends Connection {
  #socket: WebSocket | undefined;

  protected get canSend(): boolean {
    return this.isAttached;
  }

  protected open(token: string): void {
    const url = `${this.address.replace(/^http/, "ws")}/connect?${this.query()}`;
    const socket = this.#make(url, token);
    if (!socket) return;
    this.#socket = socket;
    // A dropped socket is ignored, whatever it still delivers.
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#hear(String(data));
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.take({ type: "lost", code });
    };
  }

  /** A connection that cannot even be tried is a mistake, and does not get better. */
  #make(url: string, token: string): WebSocket | undefined {
    const Socket = this.options.WebSocket ?? globalThis.WebSocket;
    let error = new SessileError(
      "missing-option",
      "unable to connect; there is no WebSocket: use Node 22, give one as the option WebSocket, " +
        "or, in an agent, link: overFetch",
    );
    try {
      if (Socket) return new Socket(url, ["sessile.v1", `sessile.token.${token}`]);
    } catch (cause) {
      // On a page with TLS, for example, a WebSocket needs TLS too.
      const message = `unable to connect to ${this.address}; ${cause}: check url`;
      error = new SessileError("wrong-url", message, undefined, cause);
    }
    this.take({ type: "impossible", error });
    return undefined;
  }

  protected leave(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) this.lose();
    socket?.close();
  }

  protected ping(): void {
    this.#socket?.send("ping");
  }

  protected async renew(): Promise<void> {
    const token = await this.tokens.get();
    const expiry = await this.request({ type: "auth", token }, { once: true });
    this.take({ type: "renewed", forMs: lastsMs(expiry) });
  }

  protected flush(): void {
    // Three bytes a character, so that an array stays within the bound of a frame.
    const most = this.limits.frameBytes / 3;
    while (this.isAttached && !this.requests.isEmpty) {
      const batch = this.requests.next(most);
      this.#socket?.send(this.bodyOf(batch));
    }
  }

  #hear(text: string): void {
    this.take({ type: "heard" });
    if (text === "pong") return;
    let frames: ServerFrame[];
    try {
      frames = readFrames(text);
    } catch (cause) {
      const message = "unable to read a frame; something in between changes it";
      this.refused(new SessileError("wrong-url", message, undefined, cause));
      this.take({ type: "lost", code: 1002 });
      return;
    }
    this.hear(frames);
  }
}
