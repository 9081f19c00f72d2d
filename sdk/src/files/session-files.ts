// The files of a page's session: uploads, and addresses that stay good while they are shown.

import type { Begin, Engine, Feature } from "../client/feature.ts";
import { blobOf, isDataUrl, MOST_DATA } from "../connection/data-url.ts";
import { describe, type UploadOptions, upload } from "../connection/files.ts";
import type { ConnectionStatus } from "../connection/types.ts";
import type { SessileError, SessionFile } from "../protocol/index.ts";
import { fileIn, partOf } from "./parts.ts";

/** How long an address is used, in milliseconds: it is good for an hour (P11.7). */
const RENEWED_MS = 50 * 60_000;

/** A message with parts, as the AI SDK has it. */
export interface Parted {
  parts: readonly unknown[];
}

/** A session in a page. */
interface PageSession {
  feature<P extends Feature>(begin: Begin<P>): P;
}

/** The files of a session, for a page; also the option `files` of the AI SDK's transport. */
export function filesOf(session: PageSession): FilesFeature {
  return session.feature(begin);
}

const begin = (engine: Engine) => new FilesFeature(engine);

export class FilesFeature implements Feature {
  /** The files that were asked for, by id; `null` for one that there is not (any more). */
  value: ReadonlyMap<string, SessionFile | null> = new Map();
  readonly #engine: Engine;
  /** When each was asked for, or came. */
  readonly #asked = new Map<string, number>();
  /** Those that could not be asked for. */
  readonly #failed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Uploads a file, which a message may then name by its id. */
  async upload(body: Blob, options?: UploadOptions): Promise<SessionFile> {
    const file = await upload(this.#engine.link, body, options);
    this.#put(file.id, file);
    return file;
  }

  /**
   * A file with an address to show it by, as far as known; `null` if there is none of this id. It
   * is asked for where needed: `value` changes when it is there, and when its address is renewed.
   */
  of(id: string): SessionFile | null | undefined {
    const known = this.value.get(id);
    const isGood = Date.now() - (this.#asked.get(id) ?? 0) < RENEWED_MS;
    if (known !== null && !isGood) this.#ask(id);
    return known;
  }

  /** The message with what is long in it uploaded; where nothing keeps files, it stays. */
  async keep<M extends Parted>(message: M): Promise<M> {
    let left = MOST_DATA;
    const parts: unknown[] = [];
    for (const part of message.parts) {
      const { url, filename: name } = Object(part);
      const isLong = isDataUrl(url) && url.length > left;
      if (isDataUrl(url) && !isLong) left -= url.length;
      const body = isLong ? blobOf(url) : undefined;
      parts.push(body ? await this.#kept(part, body, name) : part);
    }
    return { ...message, parts };
  }

  /** The messages with addresses that work now, as far as known. */
  show<M extends Parted>(messages: readonly M[]): M[] {
    return messages.map((message) => {
      let isSame = true;
      const parts = message.parts.map((part) => {
        const id = fileIn(part);
        const url = id !== undefined && this.of(id)?.url;
        if (!url || url === Object(part).url) return part;
        isSame = false;
        return { ...Object(part), url };
      });
      return isSame ? message : { ...message, parts };
    });
  }

  status({ state }: ConnectionStatus): void {
    if (state === "closed") clearTimeout(this.#timer);
    if (state !== "connected" || this.#failed.size === 0) return;
    for (const id of this.#failed) this.#ask(id);
  }

  async #kept(part: unknown, body: Blob, name?: string): Promise<unknown> {
    try {
      const file = await this.upload(body, name === undefined ? {} : { name });
      return { ...Object(part), ...partOf(file, Object(part).providerMetadata) };
    } catch (error) {
      if ((error as SessileError).code === "not-configured") return part;
      throw error;
    }
  }

  #ask(id: string): void {
    this.#asked.set(id, Date.now());
    this.#failed.delete(id);
    describe(this.#engine.link, id).then(
      (file) => this.#put(id, file),
      (error: SessileError) => {
        if (error.code === "not-found") return this.#put(id, null);
        this.#asked.delete(id);
        this.#failed.add(id);
      },
    );
  }

  #put(id: string, file: SessionFile | null): void {
    this.#asked.set(id, Date.now());
    this.value = new Map(this.value).set(id, file);
    this.#engine.changed();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const [old, file] of this.value) if (file) this.of(old);
    }, RENEWED_MS);
    // In Node a session that is left alone keeps no process.
    (this.#timer as { unref?: () => void }).unref?.();
  }
}
