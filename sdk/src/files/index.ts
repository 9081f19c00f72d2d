// sessile/files: files of a session, for pages and agents (P11.7).

export type { FileLink, UploadOptions } from "../connection/files.ts";
export type { SessionFile } from "../protocol/index.ts";
export { type FileSession, fileOf, uploadFile } from "./files.ts";
export { type FilePart, filePart, freshFiles, modelFiles } from "./parts.ts";
export { FilesFeature, filesOf } from "./session-files.ts";
