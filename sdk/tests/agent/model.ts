// A session as an agent's pipeline meets it: it keeps a log, takes frames in order, and can lose
// them, answer too late, or refuse what comes too fast (P4, P5, P13.8).

import assert from "node:assert/strict";
import type { Outlet } from "../../src/agent/pipeline.ts";
import {
  type AppendFrame,
  type ClientFrame,
  DEFAULT_LIMITS,
  type ErrorCode,
  type Limits,
  type NewMessage,
  type PublishFrame,
  SessileError,
  type UpdateFrame,
} from "../../src/protocol/index.ts";

export type Fault = "none" | "lost" | "unanswered" | ErrorCode;

/** A message as the session holds it. */
export interface Held {
  serial: string;
  id: string;
  name: string;
  data: unknown;
  headers: Record<string, string>;
  status: string | undefined;
  seq: number;
  isDeleted: boolean;
}

export class Model implements Outlet {
  limits: Limits = { ...DEFAULT_LIMITS, framesPerSecond: 1e6, framesBurst: 1e6 };
  attempt = 1;
  /** The result of each change, in the log's order. */
  readonly log: string[] = [];
  readonly held = new Map<string, Held>();
  frames: ClientFrame[] = [];
  fault: (frame: ClientFrame) => Fault = () => "none";
  /** How long an answer takes. */
  delayMs = 0;
  #broken: number | undefined;
  #isCut = false;
  #reconnected: Promise<void> | undefined;
  #flying = 0;

  get messages(): Held[] {
    return [...this.held.values()].filter(({ isDeleted }) => !isDeleted);
  }

  find(id: string): Held | undefined {
    return [...this.held.values()].findLast((it) => it.id === id && !it.isDeleted);
  }

  connected(): Promise<void> {
    this.#reconnected ??= new Promise<void>((done) => {
      const look = () => {
        if (this.#flying > 0) setTimeout(look);
        else {
          this.#isCut = false;
          this.#reconnected = undefined;
          done();
        }
      };
      setTimeout(look);
    });
    return this.#isCut ? this.#reconnected : Promise.resolve();
  }

  async once(frame: ClientFrame): Promise<unknown> {
    this.frames.push(frame);
    this.#flying += 1;
    try {
      return await this.#answer(JSON.parse(JSON.stringify(frame)));
    } finally {
      this.#flying -= 1;
    }
  }

  async #answer(frame: ClientFrame): Promise<unknown> {
    const wait = () => new Promise((done) => setTimeout(done, this.delayMs));
    const fault = this.#isCut ? "lost" : this.fault(frame);
    if (fault === "lost" || fault === "unanswered") {
      // A connection that goes takes everything with it that follows.
      if (fault === "unanswered") this.#try(frame);
      this.#isCut = true;
      await wait();
      throw new SessileError("disconnected", fault);
    }
    const answer = this.#try(frame, fault === "none" ? undefined : fault);
    await wait();
    if (this.#isCut) throw new SessileError("disconnected", "the answer was lost");
    if (answer instanceof SessileError) throw answer;
    return answer;
  }

  #try(frame: ClientFrame, fault?: ErrorCode): unknown {
    const { chain } = frame;
    if (chain !== undefined && chain === this.#broken) return refusal("skipped");
    try {
      if (fault) throw refusal(fault, { retryAfterMs: 1 });
      return this.#take(frame);
    } catch (error) {
      if (!(error instanceof SessileError)) throw error;
      this.#broken = chain;
      return error;
    }
  }

  #take(frame: ClientFrame): unknown {
    if (frame.type === "publish") return this.#publish(frame);
    if (frame.type === "append") return this.#append(frame);
    if (frame.type === "update") return this.#update(frame);
    if (frame.type !== "delete") return {};
    const message = this.#of(frame.serial);
    message.isDeleted = true;
    this.log.push(`delete ${message.id}`);
    return {};
  }

  #publish({ messages }: PublishFrame): unknown {
    return { messages: messages.map((message) => this.#create(message)) };
  }

  #create(message: NewMessage): unknown {
    const { id = "", name = "message", headers = {}, data, status } = message;
    assert.ok(id.length <= 128 && name.length <= 128, "an id and a name have their bounds");
    assert.ok(JSON.stringify(message).isWellFormed(), "no half of a surrogate pair");
    const bytes = Object.entries(headers).reduce((sum, [a, b]) => sum + a.length + b.length, 0);
    assert.ok(bytes <= 4096 && Object.keys(headers).length <= 32, "headers have their bounds");
    const known = this.find(id);
    if (known) return { serial: known.serial, version: "v", duplicate: true };
    const serial = `s${String(this.held.size).padStart(6, "0")}`;
    this.held.set(serial, { serial, id, name, data, headers, status, seq: 0, isDeleted: false });
    this.log.push(`create ${id}`);
    if (typeof data === "string" && data) this.log.push(`grow ${id} ${data}`);
    if (status !== "streaming") this.log.push(`end ${id}`);
    return { serial, version: "v" };
  }

  #append({ serial, seq = 0, data = "", status, headers }: AppendFrame): unknown {
    const message = this.#of(serial);
    if (seq > message.seq && message.status !== "streaming") throw refusal("closed");
    if (seq > message.seq + 1) {
      throw refusal("gap", { expectedSeq: message.seq + 1, length: String(message.data).length });
    }
    if (seq <= message.seq) return { serial, seq, duplicate: true };
    if (new Blob([`${message.data}${data}`]).size > this.limits.dataBytes) {
      throw refusal("too-large");
    }
    assert.ok(data.isWellFormed(), "an append cuts no character");
    message.data = `${message.data}${data}`;
    message.seq = seq;
    if (data) this.log.push(`grow ${message.id} ${data}`);
    if (headers) message.headers = headers;
    if (status) this.#end(message, status);
    return { serial, seq };
  }

  #update({ serial, seq, data, headers, status }: UpdateFrame): unknown {
    const message = this.#of(serial);
    const isOld = seq !== undefined && (status ? seq <= message.seq : seq < message.seq);
    if (isOld) return { serial, seq, duplicate: true };
    if (status && message.status !== "streaming") throw refusal("closed");
    if (data !== undefined) message.data = data;
    if (headers) message.headers = headers;
    message.seq = seq ?? message.seq;
    if (status) this.#end(message, status);
    else this.log.push(`change ${message.id}`);
    return { serial };
  }

  #end(message: Held, status: string): void {
    message.status = status;
    this.log.push(`end ${message.id}`);
  }

  #of(serial: string): Held {
    const message = this.held.get(serial);
    if (!message) throw refusal("not-found");
    if (message.isDeleted) throw refusal("deleted");
    return message;
  }
}

function refusal(code: ErrorCode, more: object = {}): SessileError {
  return SessileError.of({ code, status: 409, message: code, ...more });
}
