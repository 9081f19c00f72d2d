// The wasm's calls into JavaScript that the `worker` crate does not bind, or binds so that an
// exception would tear through the wasm. This file outlives a wasm instance that panicked.

const known = new WeakSet();
const slot = Symbol("sessile");
const encoder = new TextEncoder();
/**
 * How long chunks of a body are gathered behind one that was passed on. A timer of 0 ms rings
 * between every two of them; 2 ms and 4 ms gain nothing over 1.
 */
const GATHERED_MS = 1;
/** A producer that waits for room in a response is woken once this much of it was taken. */
const STIRRING_LENGTH = 64 * 1024;
/** The most bytes of a body that are gathered. */
const GATHERED_BYTES = 16 * 1024;
const HEADERS = { "content-type": "application/json", "access-control-allow-origin": "*" };
/** Functions that end everything a panicked wasm instance can no longer end. */
const unfinished = new Set();
/** Clients leave in the middle, and the runtime then drops their requests without notice. */
const forgotten = new FinalizationRegistry((entry) => unfinished.delete(entry));

/** The names of bindings of services, Queues and Workflows. A service has every method's name. */
export function bindingsOf(env) {
  const found = { services: [], queues: [], workflows: [] };
  for (const [name, binding] of Object.entries(env)) {
    if (binding === null || typeof binding !== "object") continue;
    const has = (method) => typeof binding[method] === "function";
    if (binding.constructor?.name === "Fetcher") found.services.push(name);
    else if (has("sendBatch")) found.queues.push(name);
    else if (has("createBatch")) found.workflows.push(name);
  }
  return JSON.stringify(found);
}

/** The bytes of an index of Workers Analytics Engine. */
const INDEX_BYTES = 96;

/**
 * A milestone of a session (P11.8), which is JSON: a line of the log, and a point of Workers
 * Analytics Engine. docs/monitoring.md names the places of a point, which must stay.
 */
export function tell(env, line, isLogged) {
  if (isLogged) console.log(line);
  const dataset = env.ANALYTICS;
  if (dataset === undefined) return;
  const it = JSON.parse(line);
  const texts = ["event", "session", "client", "role", "id", "turn", "kind", "status", "target"];
  const blobs = [...texts, "reason", "traceparent"].map((name) => it[name] ?? "");
  const doubles = ["ms", "count", "bytes", "code", "missed"].map((name) => it[name] ?? 0);
  // A session's id is ASCII.
  const indexes = [it.session.slice(0, INDEX_BYTES)];
  dataset.writeDataPoint({ blobs, doubles, indexes });
}

/** Never from inside wasm: it ends the JavaScript under it at once and poisons the isolate. */
export function abortLater(ctx, why) {
  setTimeout(() => ctx.abort(why), 0);
}

export function isKnown(ctx) {
  const isAgain = known.has(ctx);
  known.add(ctx);
  return isAgain;
}

/** Resets the object when the callback fails: its wasm instance may be gone. */
export function startTimer(ctx, ring, ms) {
  return setTimeout(() => {
    let isDone = false;
    try {
      isDone = ring() === true;
    } catch (error) {
      console.error(String(error));
    }
    if (!isDone) ctx.abort("a timer of the session failed");
  }, ms);
}

export function stopTimer(timer) {
  clearTimeout(timer);
}

/** Not awaited: an alarm that cannot be set breaks its own commit. */
export function setAlarm(storage, at) {
  storage.setAlarm(at).catch(() => {});
}

export function setSlot(socket, number) {
  socket[slot] = number;
}

export function slotOf(socket) {
  return socket[slot];
}

/** When a socket last sent a `ping`, which is answered without waking the session. */
export function pingedAt(ctx, socket) {
  return ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
}

/** Unsent bytes; nothing where the platform does not report them. */
export function unsentOf(socket) {
  return socket.bufferedAmount;
}

export function send(socket, text) {
  try {
    socket.send(text);
  } catch {
    // It is closing.
  }
}

/** The length of a text; nothing for any other value. */
export function lengthOf(value) {
  return typeof value === "string" ? value.length : undefined;
}

/**
 * Writes a text as UTF-8 in one call, where wasm-bindgen goes by character. Returns whether all of
 * it had room: as many bytes as the text is long, which is enough for ASCII.
 */
export function encode(text, bytes) {
  return encoder.encodeInto(text, bytes).read === text.length;
}

/** Runs a statement without rows; returns rows read plus rows written times 2^26. */
export function run(sql, statement, params) {
  const cursor = sql.exec(statement, ...JSON.parse(params));
  return cursor.rowsRead + cursor.rowsWritten * 0x4000000;
}

/** Runs the statement of every append, with parameters that need no parser. */
export function grow(sql, statement, row, version, seq, at, texts, marks) {
  const mark = texts.slice(0, marks);
  const cursor = sql.exec(statement, row, version, seq, at, mark, texts.slice(marks));
  return cursor.rowsRead + cursor.rowsWritten * 0x4000000;
}

/** All cells of a result one after the other, then rows, rows read and rows written. */
export function query(sql, statement, params) {
  const cursor = sql.exec(statement, ...JSON.parse(params));
  const cells = [];
  let rows = 0;
  for (const row of cursor.raw()) {
    for (const cell of row) cells.push(cell);
    rows += 1;
  }
  cells.push(rows, cursor.rowsRead, cursor.rowsWritten);
  return cells;
}

/** Registers `end` for a panic; returns its cancellation. Keeps nothing alive. */
function untilPanic(end) {
  const entry = new WeakRef(end);
  unfinished.add(entry);
  forgotten.register(end, entry);
  return () => unfinished.delete(entry);
}

/** The answer to a request, or `lost` if a panic takes the wasm that owes it. */
export function answerOf(answer, lost) {
  return new Promise((resolve, reject) => {
    const end = () => resolve(undefined);
    const settled = untilPanic(end);
    // `end` must live as long as the answer is awaited.
    answer.then(resolve, reject).finally(() => settled(end));
  }).then((response) => response ?? new Response(lost, { status: 500, headers: HEADERS }));
}

/** A panic has taken the wasm instance that holds the memory of all objects of this isolate. */
export function panicked(ctx, why) {
  // The shim of `worker` makes an object anew when this number differs from its own, but it checks
  // before it restarts itself: an event in between would be lost.
  const shim = globalThis.__worker_init_state;
  if (shim !== undefined) shim.instanceId += 1;
  const all = [...unfinished].map((entry) => entry.deref());
  unfinished.clear();
  setTimeout(() => {
    for (const end of all) end?.();
    // Last, since this call ends here as well.
    ctx?.abort(why);
  }, 0);
}

/**
 * The body of a request as it arrives. The first chunk after a pause is passed on at once, the
 * chunks of the next millisecond as one: a chunk costs more on its way than it does here.
 */
export class Chunks {
  #reader;
  #held = [];
  #bytes = 0;
  #isEnded = false;
  #isBroken = false;
  #isStopped = false;
  #isResting = false;
  #give = undefined;
  #goOn = () => {};

  constructor(body) {
    this.#reader = body.getReader();
    this.#read();
  }

  /** The gathered bytes, when they are due; `undefined` at the end. */
  next() {
    return new Promise((resolve, reject) => {
      this.#give = { resolve, reject };
      this.#look();
    });
  }

  /** The bytes that have arrived, if any. */
  take() {
    const chunks = this.#held;
    if (chunks.length === 0) return undefined;
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    this.#held = [];
    this.#bytes = 0;
    this.#isResting = true;
    setTimeout(() => {
      this.#isResting = false;
      this.#look();
    }, GATHERED_MS);
    this.#goOn();
    return whole;
  }

  /**
   * Reads the rest and drops it. A body that is cancelled in the middle of a read is cut off, often
   * before its client has seen the answer.
   */
  stop() {
    this.#isStopped = true;
    this.#goOn();
  }

  async #read() {
    try {
      while (!this.#isStopped) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.#held.push(value);
        this.#bytes += value.length;
        this.#look();
        if (GATHERED_BYTES <= this.#bytes && !this.#isStopped) {
          await new Promise((resolve) => {
            this.#goOn = resolve;
          });
        }
      }
      if (this.#isStopped) await this.#reader.cancel();
    } catch {
      this.#isBroken = true;
    }
    this.#isEnded = true;
    this.#look();
  }

  #look() {
    const give = this.#give;
    if (give === undefined) return;
    const isTime = !this.#isResting || this.#isEnded || GATHERED_BYTES <= this.#bytes;
    if (this.#bytes > 0) {
      if (!isTime) return;
      this.#give = undefined;
      give.resolve(this.take());
    } else if (this.#isEnded) {
      this.#give = undefined;
      if (this.#isBroken) give.reject(new Error("the body broke off"));
      else give.resolve(undefined);
    }
  }
}

/** The body of a response that is still being produced, with a queue that can be counted. */
export class Pipe {
  #queue = [];
  #unsent = 0;
  #isEnded = false;
  #isLost = false;
  #wake = () => {};
  #lose = () => {
    this.#isLost = true;
    this.#wake();
  };

  /**
   * `stir` is called when the client has left, or has taken so much that there may be room again.
   */
  constructor(stir) {
    const settled = untilPanic(this.#lose);
    this.stream = new ReadableStream(
      {
        pull: async (controller) => {
          if (this.#queue.length === 0 && !this.#isEnded && !this.#isLost) {
            await new Promise((resolve) => {
              this.#wake = resolve;
            });
          }
          if (this.#isLost) throw new Error("the Worker failed");
          if (this.#queue.length > 0) {
            controller.enqueue(encoder.encode(this.#queue.join("")));
            const taken = this.#unsent;
            this.clear();
            if (STIRRING_LENGTH <= taken) stir(false);
          } else {
            settled();
            controller.close();
          }
        },
        cancel: () => {
          settled();
          stir(true);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Returns the unsent length. */
  write(text) {
    this.#queue.push(text);
    this.#unsent += text.length;
    this.#wake();
    return this.#unsent;
  }

  get unsent() {
    return this.#unsent;
  }

  /** Drops the unsent bytes. */
  clear() {
    this.#queue = [];
    this.#unsent = 0;
  }

  end() {
    this.#isEnded = true;
    this.#wake();
  }
}
