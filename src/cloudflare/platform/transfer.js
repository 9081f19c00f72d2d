// A session as a file or as another session, however long: page by page, with a call to its object
// for each (P11.6). In JavaScript, since bodies are streams of the runtime.

import { ask as askObject, json, pause, refusal } from "./ask.js";

/** Characters of lines that go to the object in one call, beyond the last of them. */
const BATCH_LENGTH = 256 * 1024;
/** Bytes that are read of a body that is refused, so that its client hears the refusal. */
const DISCARDED = 64 * 1024 * 1024;
/** How often a page is asked for, since it is only read; each wait is twice the one before. */
const READS = 6;
const WAIT_MS = 100;
const HEADERS = {
  "content-type": "application/x-ndjson",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store, no-transform",
  "access-control-allow-origin": "*",
  // Proxies pass it on unbuffered.
  "x-accel-buffering": "no",
};

/** The lines of the table of routes: addresses of clients, and those by which a fork is made. */
const EXPORT = ["GET", "/v1/sessions/{session}/export"];
const IMPORT = ["PUT", "/v1/sessions/{session}/import"];
const PAGE = ["", EXPORT[1]];
const FORK = ["", IMPORT[1]];

/** The answer to `GET …/export`: its client sees by the last line that nothing is missing. */
export async function exported(env, session, grant) {
  const source = { env, session, grant, line: EXPORT };
  const first = await ask(source);
  if (!first.ok) return first;
  const encoder = new TextEncoder();
  let page = await first.text();
  const body = new ReadableStream({
    async pull(controller) {
      const end = page.indexOf("\n");
      const cursor = page.slice(0, end);
      controller.enqueue(encoder.encode(page.slice(end + 1)));
      if (cursor === "") return controller.close();
      const next = await patiently(source, cursor);
      // An export that breaks off has no last line.
      if (!next.ok) throw new Error(await next.text());
      page = await next.text();
    },
  });
  return new Response(body, { headers: HEADERS });
}

/** The answer to `PUT …/import`, once the session is there. */
export async function imported(env, session, grant, body, longest) {
  const target = { env, session, grant, line: IMPORT };
  const source = new Lines(body);
  let after;
  for (;;) {
    const lines = await source.next(longest);
    if (lines instanceof Response) return source.end(lines);
    const answer = await ask(target, { after }, lines);
    if (!answer.ok) return source.end(answer);
    const done = await answer.json();
    if (done.after === undefined) return source.end(json(200, done));
    if (source.isOver) return unreadable("it has no last line");
    after = done.after;
  }
}

/** The answer to `POST …/fork`: the first page begins the fork, which asks for the others. */
export async function forked(env, from, grant, at, session, own) {
  const first = await ask({ env, session: from, grant, line: PAGE }, { at });
  if (!first.ok) return first;
  const target = { env, session, grant: own, line: FORK };
  return ask(target, { from, at }, await first.text());
}

/**
 * Takes the next page of a fork from its source to its own object. Resolves to the status of the
 * first answer that is none, or of the last one.
 */
export async function pulled(env, from, session, grant, name, cursor) {
  const page = await patiently({ env, session: from, grant, line: PAGE }, cursor);
  if (!page.ok) return page.status;
  const target = { env, session, grant, line: FORK };
  const done = await ask(target, { from, after: name }, await page.text());
  await done.text();
  return done.status;
}

/** A body, as whole lines. */
class Lines {
  #reader;
  #decoder = new TextDecoder("utf-8", { fatal: true });
  #lines = "";
  /** The rest, after the last line break: never searched again, however long. */
  #rest = "";
  #discarded = 0;

  constructor(body) {
    this.#reader = body?.getReader();
    this.isOver = body == null;
  }

  /** The next lines, or the refusal of what is none. */
  async next(longest) {
    for (;;) {
      if (longest < this.#rest.length) {
        const message = `unable to import; a line has more than ${longest} bytes`;
        return refusal("too-large", 413, message);
      }
      if (this.isOver) return this.#lines + this.#rest;
      if (BATCH_LENGTH <= this.#lines.length) {
        const lines = this.#lines;
        this.#lines = "";
        return lines;
      }
      try {
        const { done, value } = await this.#reader.read();
        this.#take(this.#decoder.decode(value, { stream: !done }));
        this.isOver = done;
      } catch (error) {
        this.isOver = true;
        const isText = error instanceof TypeError;
        return unreadable(isText ? "it is not UTF-8" : "it broke off");
      }
    }
  }

  #take(text) {
    const end = text.lastIndexOf("\n") + 1;
    if (end > 0) {
      this.#lines += this.#rest + text.slice(0, end);
      this.#rest = "";
    }
    this.#rest += text.slice(end);
  }

  /** Reads the rest, so that a client that is still sending hears the answer. */
  async end(answer) {
    try {
      while (!this.isOver && this.#discarded < DISCARDED) {
        const { done, value } = await this.#reader.read();
        this.isOver = done;
        this.#discarded += value?.length ?? 0;
      }
    } catch {
      // Its client is gone, and hears nothing.
    }
    return answer;
  }
}

/** A page, although the object may be restarting, or may have had too much to answer. */
async function patiently(source, after) {
  for (let tries = 1; ; tries += 1) {
    const page = await ask(source, { after });
    if (page.ok || tries === READS || ![429, 500].includes(page.status)) return page;
    await page.text();
    await pause(WAIT_MS * 2 ** (tries - 1));
  }
}

/** Makes a call by a line of the table, with parameters of a query. */
async function ask({ env, session, grant, line: [method, path] }, query = {}, body = undefined) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  try {
    return await askObject(env, session, grant, { method, path, pairs }, body);
  } catch {
    const message = "unable to reach the session; what was asked may have happened";
    return refusal("internal", 500, message);
  }
}

function unreadable(reason) {
  return refusal("invalid-frame", 400, `unable to read the body; ${reason}`);
}
