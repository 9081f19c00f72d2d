// Uploads and addresses of a session's files.

import type { Begin, Feature } from "../client/feature.ts";
import { describe, type FileLink, type UploadOptions, upload } from "../connection/files.ts";
import type { SessionFile } from "../protocol/index.ts";

/** A session in a page (`createSession`) or in an agent (`createAgentSession`). */
export type FileSession =
  | { feature<P extends Feature>(begin: Begin<P>): P }
  | { readonly link: FileLink };

/** Its connection, beside the page's session. */
interface Linked extends Feature {
  readonly link: FileLink;
}

const begin: Begin<Linked> = ({ link }) => ({ link });

/** The connection of a session. */
export function linkOf(session: FileSession): FileLink {
  return "link" in session ? session.link : session.feature(begin).link;
}

/**
 * Uploads a file of the session; rejects with a `SessileError`, such as `not-configured` where the
 * deployment keeps no files. A message names it by `id`.
 */
export function uploadFile(
  session: FileSession,
  body: Blob,
  options?: UploadOptions,
): Promise<SessionFile> {
  return upload(linkOf(session), body, options);
}

/** A file by its id, with an address that works for an hour without a header. */
export function fileOf(session: FileSession, id: string): Promise<SessionFile> {
  return describe(linkOf(session), id);
}
