// What was sent and is not in the log yet: shown at once, sent until it is acknowledged, in the
// order in which it was written (P13.1).

import type { Link } from "../connection/types.ts";
import {
  type Message,
  type NewMessage,
  type Placed,
  SessileError,
  wellFormed,
} from "../protocol/index.ts";
import type { Outbox, StoredMessage } from "./outbox.ts";

/** How a message stands that this client sent; one that is in the log was `sent`. */
export type Delivery = "pending" | "failed";

/**
 * A message as it is shown. One that is not in the log yet has a `delivery`, and a serial that
 * begins with `~`; its `id` stays the same.
 */
export interface ShownMessage extends Message {
  delivery?: Delivery;
  /** Why a failed one failed. */
  error?: SessileError | undefined;
}

/** Resolves when the message is in the log; the `id` is there at once. */
export type Sent = Promise<Placed> & { readonly id: string };

interface Item extends StoredMessage {
  shown: ShownMessage;
  /** Not together with others, since that was refused. */
  isAlone: boolean;
  done(placed: Placed): void;
  fail(error: SessileError): void;
}

const RETRY_MS = 1_000;
const RETRIES = 5;
/** What is sent in one publish, in characters. */
const BATCH_LENGTH = 64 * 1024;

export interface SendingOptions {
  link: Pick<Link, "address" | "attached" | "request" | "limits">;
  outbox: Outbox | undefined;
  most: number;
  /** Something of `shown` is different. */
  changed(): void;
}

export class Sending {
  /** What is not in the log yet, in order; a new array at each change. */
  shown: readonly ShownMessage[] = [];
  /** The id of this client; `""` until that is known. */
  #client = "";
  readonly #options: SendingOptions;
  #items: Item[] = [];
  #count = 0;
  /** When the newest message was written; no two at once. */
  #newest = 0;
  #retries = 0;
  #isSending = false;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** The id of this client; `""` until that is known. */
  get client(): string {
    return this.#client;
  }

  /**
   * It is known who this is. Messages that this page wrote before anybody was known are theirs, as
   * are those that they wrote before a reload; somebody else's wait in the outbox for them.
   */
  begin(client: string): void {
    if (client && client !== this.#client) {
      this.#client = client;
      for (const item of this.#items) {
        if (item.client === "") this.#claim(item);
        else if (item.client !== client) this.#leave(item);
      }
      this.#show();
      this.restore();
    }
    this.flush();
  }

  /** Takes a message; it is sent as soon as those before it are in the log. */
  add(given: NewMessage & { id: string }, interrupt?: true | string): Sent {
    const { link, most, outbox } = this.#options;
    // The message that is shown is the one that will be in the log.
    const message = wellFormed(given);
    try {
      JSON.stringify(message);
    } catch (cause) {
      const text = `unable to send; the message cannot be JSON: ${cause}`;
      const error = new SessileError("invalid-frame", text, undefined, cause);
      return sent(Promise.reject(error), message.id);
    }
    // The outbox is read in this order.
    const writtenAt = Math.max(Date.now(), this.#newest + 1);
    const stored = { address: link.address, client: this.#client, message, writtenAt };
    const item = { ...stored, ...(interrupt && { interrupt }) };
    if (this.#items.length >= most) {
      const full = `unable to send; ${most} messages wait for the session already: try later`;
      return sent(Promise.reject(new SessileError("over-limit", full)), message.id);
    }
    // Without a name it could not be told from what somebody else wrote.
    if (item.client) outbox?.put(item);
    return this.#push(item);
  }

  /** Takes what waited since before a reload; what another client wrote stays where it is. */
  async restore(): Promise<void> {
    const { link, outbox } = this.#options;
    const client = this.#client;
    for (const stored of (await outbox?.load(link.address, client)) ?? []) {
      const isOwn = stored.client === client && client === this.#client;
      if (isOwn && !this.#find(stored.message.id)) this.#push(stored);
    }
  }

  /** Sends what waits; called whenever the connection is attached. */
  async flush(): Promise<void> {
    // The client that is attached may be another than the one that wrote what waits.
    const { client = this.#client } = this.#options.link.attached ?? {};
    if (this.#isSending || client !== this.#client) return;
    const batch = this.#next();
    const [first] = batch;
    if (!first) return;
    this.#isSending = true;
    const messages = batch.map(({ message }) => message);
    const { interrupt } = first;
    const frame = { type: "publish", messages, ...(interrupt && { interrupt }) } as const;
    let isGoingOn = true;
    try {
      const result = await this.#options.link.request(frame, { once: true });
      this.#retries = 0;
      for (const [index, item] of batch.entries()) {
        this.#settle(item, result.messages[index] as Placed);
      }
    } catch (error) {
      isGoingOn = await this.#take(batch, error as SessileError);
    }
    this.#isSending = false;
    if (isGoingOn) this.flush();
  }

  /** A message that came in the log: it waits no longer. */
  arrived({ id, client, serial, version }: Message): void {
    const item = client === this.#client && this.#find(id);
    if (item && id) this.#settle(item, { id, serial, version });
  }

  /** Sends a failed message once more. */
  retry(id: string): void {
    const item = this.#find(id);
    if (!item) return;
    item.shown = { ...item.shown, delivery: "pending", error: undefined };
    this.#show();
    this.flush();
  }

  /** Takes a message back that is not in the log; says whether it was still here. */
  discard(id: string): boolean {
    const item = this.#find(id);
    if (item) this.#drop(item);
    item?.fail(new SessileError("discarded", "the message was taken back"));
    return !!item;
  }

  /** The session was given up: everything that waits has failed. */
  failAll(error: SessileError): void {
    for (const item of this.#items) this.#fail(item, error);
    this.#show();
  }

  /** What goes out together: all or none of it is published (P4.2). */
  #next(): Item[] {
    const waiting = this.#items.filter(({ shown }) => shown.delivery === "pending");
    const batch: Item[] = [];
    let length = 0;
    for (const item of waiting) {
      const isAlone = item.isAlone || item.interrupt !== undefined;
      length += JSON.stringify(item.message).length;
      const isFull =
        length > BATCH_LENGTH || batch.length >= this.#options.link.limits.publishMessages;
      if (batch.length > 0 && (isAlone || isFull)) break;
      batch.push(item);
      if (isAlone) break;
    }
    return batch;
  }

  /** Says whether to go on with what is next, when it is time. */
  async #take(batch: readonly Item[], error: SessileError): Promise<boolean> {
    // It may have arrived, and goes out again with the next connection.
    if (error.code === "disconnected" || error.code === "session-closed") return false;
    const isPassing = error.code === "rate-limited" || error.code === "internal";
    if (isPassing && this.#retries < RETRIES) {
      this.#retries += 1;
      const pause = error.info?.retryAfterMs ?? RETRY_MS * this.#retries;
      await new Promise((done) => setTimeout(done, pause));
      return true;
    }
    if (batch.length > 1) for (const item of batch) item.isAlone = true;
    else for (const item of batch) this.#fail(item, error);
    // No reload makes it smaller.
    const [item] = batch;
    if (item && batch.length === 1 && error.code === "too-large") this.#unstore(item);
    this.#show();
    return true;
  }

  #claim(item: Item): void {
    const { address, message, interrupt, writtenAt } = item;
    const client = this.#client;
    item.client = client;
    item.shown = { ...item.shown, client };
    const stored = { address, client, message, writtenAt };
    this.#options.outbox?.put({ ...stored, ...(interrupt && { interrupt }) });
  }

  #leave(item: Item): void {
    this.#items = this.#items.filter((it) => it !== item);
    const text = `unable to send as ${this.#client}; ${item.client} wrote it`;
    item.fail(new SessileError("disconnected", text));
  }

  #find(id: string | undefined): Item | undefined {
    return this.#items.find(({ message }) => message.id === id);
  }

  #push(stored: StoredMessage): Sent {
    const { client, message, writtenAt } = stored;
    this.#newest = Math.max(this.#newest, writtenAt);
    this.#count += 1;
    const serial = `~${String(this.#count).padStart(8, "0")}`;
    const shown: ShownMessage = {
      role: "user",
      name: "message",
      ...message,
      serial,
      version: serial,
      client,
      createdAt: writtenAt,
      updatedAt: writtenAt,
      delivery: "pending",
    };
    const promise = new Promise<Placed>((done, fail) => {
      this.#items.push({ ...stored, shown, isAlone: false, done, fail });
    });
    this.#show();
    this.flush();
    return sent(promise, message.id);
  }

  #settle(item: Item, placed: Placed): void {
    this.#drop(item);
    item.done(placed);
  }

  #fail(item: Item, error: SessileError): void {
    item.shown = { ...item.shown, delivery: "failed", error };
    item.fail(error);
  }

  #drop(item: Item): void {
    if (!this.#items.includes(item)) return;
    this.#items = this.#items.filter((it) => it !== item);
    this.#unstore(item);
    this.#show();
  }

  #unstore({ address, message }: Item): void {
    this.#options.outbox?.remove(address, message.id);
  }

  #show(): void {
    this.shown = this.#items.map(({ shown }) => shown);
    this.#options.changed();
  }
}

function sent(promise: Promise<Placed>, id: string): Sent {
  // Who does not look at the promise sees `delivery`.
  promise.catch(() => {});
  return Object.assign(promise, { id });
}
