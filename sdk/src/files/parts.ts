// Files as parts of the AI SDK's messages (`FileUIPart`), of which this knows the form alone.

import type { UploadOptions } from "../connection/files.ts";
import { type FileSession, fileOf, uploadFile } from "./files.ts";

/** A file in a message of the AI SDK. */
export interface FilePart {
  type: "file";
  mediaType: string;
  filename: string;
  /** Its address, which works for an hour: `freshFiles` renews it. */
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
  const { id, name, type, url } = await uploadFile(session, body, options);
  const providerMetadata = { sessile: { file: id } };
  return { type: "file", mediaType: type, filename: name, url, providerMetadata };
}

/**
 * The same messages with new addresses for the files of the session: in a page before they are
 * shown, in an agent before a model gets them. A file that is gone keeps the address that it had.
 */
export function freshFiles<M extends { parts: readonly unknown[] }>(
  session: FileSession,
  messages: readonly M[],
): Promise<M[]> {
  const fresh = async (part: unknown) => {
    const id = (part as Partial<FilePart>)?.providerMetadata?.sessile?.file;
    if (id === undefined) return part;
    const file = await fileOf(session, id).catch(() => undefined);
    return file ? { ...(part as FilePart), url: file.url } : part;
  };
  return Promise.all(
    messages.map(async (message) => ({
      ...message,
      parts: await Promise.all(message.parts.map(fresh)),
    })),
  );
}
