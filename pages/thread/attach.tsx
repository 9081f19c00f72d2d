// Files that a person attaches to what they say: chosen, dropped or pasted, and uploaded when the
// message is sent.

import { type ClipboardEvent, type DragEvent, useRef, useState } from "react";
import { SessileError, type Session } from "sessile";
import { filesOf } from "sessile/files";
import { useConnection, useSession } from "sessile/react";
import { type Named, sizeOf } from "./file-words.ts";
import "./files.css";

/** More are not taken for one message. */
const MOST = 10;

/** The files that are to go with the next message. */
export interface Attached {
  /** Whether this deployment keeps files, as far as known. */
  isPossible: boolean;
  files: readonly File[];
  /** Some are on their way, and the message waits for them. */
  isSending: boolean;
  problem: string | undefined;
  add(files: Iterable<File>): void;
  remove(file: File): void;
  /** Uploads all of them; undefined if one was refused, and all stay. */
  upload(): Promise<readonly Named[] | undefined>;
}

/** Keeps files until they are sent. */
export function useAttached(): Attached {
  const session = useSession();
  const [files, setFiles] = useState<readonly File[]>([]);
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [isRefused, setRefused] = useState(false);
  // Those that were uploaded already, where a file after it was refused.
  const done = useRef(new WeakMap<File, Named>());
  // It says what may be kept, each time that it connects.
  useConnection();
  const most = session.link.limits.fileBytes ?? 0;
  const isPossible = most > 0 && !isRefused;

  const add = (more: Iterable<File>) => {
    const wanted = [...more];
    const all = [...files, ...wanted.filter(({ size }) => size <= most)];
    const large = wanted.find(({ size }) => size > most);
    setFiles(all.slice(0, MOST));
    if (large) setProblem(`${large.name} is larger than ${sizeOf(most)}.`);
    else setProblem(all.length > MOST ? `One message has ${MOST} files at most.` : undefined);
  };
  const remove = (file: File) => {
    setFiles(files.filter((one) => one !== file));
    setProblem(undefined);
  };
  const upload = async () => {
    setSending(true);
    setProblem(undefined);
    try {
      const named: Named[] = [];
      for (const file of files) {
        const one = done.current.get(file) ?? (await sent(session, file));
        done.current.set(file, one);
        named.push(one);
      }
      setFiles([]);
      return named;
    } catch (error) {
      const code = error instanceof SessileError ? error.code : "";
      if (code === "not-configured") setRefused(true);
      setProblem(wordsOf(code, error));
      return undefined;
    } finally {
      setSending(false);
    }
  };
  return { isPossible, files, isSending, problem, add, remove, upload };
}

async function sent(session: Session, file: File): Promise<Named> {
  const { id, name, type, bytes } = await filesOf(session).upload(file);
  return { id, name, type, bytes };
}

function wordsOf(code: string, error: unknown): string {
  if (code === "unreachable") return "Not sent: no connection. Send it again when it is back.";
  if (code === "not-configured") return "This deployment keeps no files.";
  return `Not sent: ${(error as Error).message}`;
}

/** The handlers of a form that files may be dropped or pasted into. */
export function takesFiles({ isPossible, add }: Attached) {
  const has = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files");
  return {
    onDragOver(event: DragEvent) {
      // Elsewhere a browser would leave the page for the file.
      if (has(event)) event.preventDefault();
    },
    onDrop(event: DragEvent) {
      if (!has(event)) return;
      event.preventDefault();
      if (isPossible) add(event.dataTransfer.files);
    },
    onPaste(event: ClipboardEvent) {
      const { files } = event.clipboardData ?? {};
      if (!isPossible || !files?.length) return;
      event.preventDefault();
      add(files);
    },
  };
}

/** A button that asks for files. */
export function AttachButton({ attached }: { attached: Attached }) {
  const field = useRef<HTMLInputElement>(null);
  if (!attached.isPossible) return null;
  return (
    <>
      <input
        ref={field}
        className="visually-hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-hidden="true"
        onChange={({ currentTarget }) => {
          attached.add(currentTarget.files ?? []);
          // The same file may be chosen again after it was taken out.
          currentTarget.value = "";
        }}
      />
      <button
        type="button"
        className="button attach"
        aria-label="Attach files"
        title="Attach files"
        onClick={() => field.current?.click()}
      >
        +
      </button>
    </>
  );
}

/** The files that wait for the message, each with a way to take it out. */
export function AttachedList({ attached }: { attached: Attached }) {
  const { files, isSending, problem, remove } = attached;
  return (
    <>
      {files.length > 0 && (
        <ul className="attached" aria-label="Files of your message">
          {files.map((file, at) => (
            <li key={at}>
              <span className="attached-name">{file.name}</span> <small>{sizeOf(file.size)}</small>
              {!isSending && (
                <button
                  type="button"
                  className="quiet-button"
                  aria-label={`Remove ${file.name}`}
                  onClick={() => remove(file)}
                >
                  ×
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <p className="attached-problem" role="status">
        {isSending ? "Sending the files…" : problem}
      </p>
    </>
  );
}
