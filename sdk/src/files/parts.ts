// Files as parts of the AI SDK's messages (`FileUIPart`), of which this knows the form alone.

import { dataUrlOf } from "../connection/data-url.ts";
import { bytesOf, describe, type FileLink, type UploadOptions } from "../connection/files.ts";
import type { SessileError, SessionFile } from "../protocol/index.ts";
import { type FileSession, linkOf, uploadFile } from "./files.ts";

/** A file in a message of the AI SDK. */
export interface FilePart {
  type: "file";
  mediaType: string;
  filename: string;
  /** Its address, which works for an hour: `filesOf` and `freshFiles` renew it. */
  url: string;
  /** Which file of the session it is. */
  providerMetadata: { sessile: { file: string } };
}

/** Uploads a file of the session, as a part for `sendMessage({ files })` or `parts`. */
export async function filePart(
  session: FileSession,
  body: Blob,
  options?: UploadOptions,
): Promise<FilePart> {
  return { type: "file", ...partOf(await uploadFile(session, body, options)) };
}

/** The fields of a part that say which file it is, beside what a provider wants to know. */
export function partOf(
  { id, name, type, url }: SessionFile,
  metadata?: object,
): Omit<FilePart, "type"> {
  const providerMetadata = { ...metadata, sessile: { file: id } };
  return { mediaType: type, filename: name, url, providerMetadata };
}

/** The id of the session's file that a part is. */
export function fileIn(part: unknown): string | undefined {
  const { type, providerMetadata } = Object(part) as Partial<FilePart>;
  const id: unknown = providerMetadata?.sessile?.file;
  return /^(reasoning-)?file$/.test(type ?? "") && typeof id === "string" ? id : undefined;
}

/**
 * The same messages with new addresses for the files of the session, where they are shown without
 * `filesOf`. One that has none, such as a file that is gone, keeps the address that it had.
 */
export function freshFiles<M extends { parts: readonly unknown[] }>(
  session: FileSession,
  messages: readonly M[],
): Promise<M[]> {
  return withFiles(linkOf(session), messages, async (part, found) => {
    const file = await found.catch(() => undefined);
    return file ? { ...Object(part), url: file.url } : part;
  });
}

/**
 * The same messages as a model's provider can take them: a file of the session has its signed
 * address where that is at `https:`, for the provider to fetch, and else its bytes. A file that is
 * gone is a sentence that says so, since no provider takes an address that leads nowhere.
 * `streamToTurn` does this by itself.
 */
export function modelFiles<M extends { parts: readonly unknown[] }>(
  session: FileSession,
  messages: readonly M[],
): Promise<M[]> {
  const link = linkOf(session);
  return withFiles(link, messages, async (part, found) => {
    const file = await found.catch((error: SessileError) => {
      if (error.code !== "not-found") throw error;
    });
    const isOpen = file?.urlExpiresAt !== undefined && file.url.startsWith("https:");
    const body = file && !isOpen ? await bytesOf(link, file) : undefined;
    const url = body ? await dataUrlOf(body) : file?.url;
    if (file && (isOpen || body)) return { ...Object(part), url, mediaType: file.type };
    const { filename = "file" } = Object(part);
    return { type: "text", text: `(${JSON.stringify(filename)} is gone.)` };
  });
}

/** The messages with each file of the session in another form. */
function withFiles<M extends { parts: readonly unknown[] }>(
  link: FileLink,
  messages: readonly M[],
  form: (part: unknown, found: Promise<SessionFile>) => unknown,
): Promise<M[]> {
  const changed = (part: unknown) => {
    const id = fileIn(part);
    return id === undefined ? part : form(part, describe(link, id));
  };
  return Promise.all(
    messages.map(async (message) => ({
      ...message,
      parts: await Promise.all(message.parts.map(changed)),
    })),
  );
}
