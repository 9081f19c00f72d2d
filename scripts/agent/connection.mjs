// The agent's side of one WebSocket: what it asks, and the answers.

/** Requests and their answers by `ref` (P13.1). */
export class Connection {
  #socket;
  #waiting = new Map();
  #refs = 0;
  isOpen = true;

  constructor(socket) {
    this.#socket = socket;
  }

  send(frame) {
    if (this.isOpen) this.#socket.send(JSON.stringify(frame));
  }

  request(frame) {
    this.#refs += 1;
    const ref = this.#refs;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ref, { resolve, reject });
      this.send({ ...frame, ref });
    });
  }

  take({ type, ref, result, error }) {
    if (type !== "ack" && type !== "nack") return;
    const waiting = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    if (type === "ack") waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }

  close() {
    this.isOpen = false;
    for (const { reject } of this.#waiting.values()) reject(new Error("the connection is gone"));
    this.#waiting.clear();
  }
}
