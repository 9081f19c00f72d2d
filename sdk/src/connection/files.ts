// Files of a session over HTTP (P11.7): uploads, and addresses to read them by.

import type { SessionFile } from "../protocol/index.ts";
import { readJson } from "./http.ts";
import type { TokenSource } from "./token.ts";
import type { ConnectionOptions } from "./types.ts";

/** A connection to a session, of a page or of an agent. */
export interface FileLink {
  readonly address: string;
  readonly tokens: TokenSource;
  readonly options: ConnectionOptions;
}

export interface UploadOptions {
  /** Its name; of a `File` its own by default. The session makes it harmless. */
  name?: string;
  /** Its own id, so that an upload that is repeated is one file (P13.1). */
  id?: string;
  signal?: AbortSignal;
}

/** Uploads a file; rejects with the session's refusal. */
export function upload(
  link: FileLink,
  body: Blob,
  { signal, ...options }: UploadOptions = {},
): Promise<SessionFile> {
  const name = options.name ?? (body as Partial<File>).name;
  const query = new URLSearchParams({ ...options, ...(name !== undefined && { name }) });
  const headers = { "content-type": body.type || "application/octet-stream" };
  return ask(link, `?${query}`, { method: "POST", body, headers, ...(signal && { signal }) });
}

/** The description of a file, with a new address. */
export function describe(link: FileLink, id: string): Promise<SessionFile> {
  return ask(link, `/${encodeURIComponent(id)}/url`);
}

/** The bytes of a file, once it is described; undefined if they are gone meanwhile. */
export async function bytesOf(
  { address, tokens, options }: FileLink,
  { id, type }: SessionFile,
): Promise<Blob | undefined> {
  const get = options.fetch ?? fetch.bind(globalThis);
  const headers = { authorization: `Bearer ${tokens.last ?? (await tokens.get())}` };
  const response = await get(`${address}/files/${encodeURIComponent(id)}`, { headers });
  return response.ok ? new Blob([await response.arrayBuffer()], { type }) : undefined;
}

async function ask(
  { address, tokens, options }: FileLink,
  path: string,
  init = {},
): Promise<SessionFile> {
  const get = options.fetch ?? fetch.bind(globalThis);
  const url = `${address}/files${path}`;
  return (await readJson<{ file: SessionFile }>(url, tokens, get, init)).file;
}
