// A message of a person, and the ways to change it: another version, sending again, taking back.

import { type KeyboardEvent, type MouseEvent, memo, useEffect, useRef, useState } from "react";
import { branchesOf, isOpen, type Session, type ShownMessage } from "sessile";
import { useSession } from "sessile/react";
import { Markdown } from "../look/markdown.tsx";
import { Button } from "../look/parts.tsx";
import { textOf } from "./entries.ts";
import { filesIn } from "./file-words.ts";
import { Files } from "./files.tsx";
import { toConversation, toSameButton } from "./focus.ts";

interface Props {
  message: ShownMessage;
  name: string;
  isOwn: boolean;
  isReadOnly: boolean;
  /** The names of those who have read up to here. */
  readers: string;
  /** Which of its versions this is, as `2/3`; empty where it is the only one. */
  version: string;
}

/** A message outside of any turn. */
export const Said = memo(function Said(props: Props) {
  const { message, name, isOwn, isReadOnly, readers, version } = props;
  const session = useSession();
  const [isEditing, setEditing] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const { id = "", serial, role, delivery, error } = message;
  const text = textOf(message);
  const files = filesIn(message.data);
  const leave = () => {
    setEditing(false);
    requestAnimationFrame(() => edit.current?.focus());
  };
  return (
    <article
      className="said"
      data-serial={serial}
      data-own={isOwn}
      data-role={role}
      data-state={delivery ?? "sent"}
      aria-label={`${name} said`}
    >
      <p className="who">{name}</p>
      {isEditing ? (
        <Editor
          text={text}
          onCancel={leave}
          onSave={(changed) => {
            saveEdit(session, serial, files.length > 0 ? { text: changed, files } : changed);
            leave();
          }}
        />
      ) : (
        text !== "" && (
          <div className="bubble">
            {role === "assistant" ? <Markdown text={text} /> : <p className="plain">{text}</p>}
          </div>
        )
      )}
      <Files files={files} />
      <div className="foot">
        {readers !== "" && <span className="quiet">Read by {readers}</span>}
        {delivery === "pending" && <span className="quiet">Waits to be sent</span>}
        {delivery === "failed" && (
          <>
            <span className="bad" role="alert">
              Not sent: {error?.message ?? "the session refused it"}
            </span>
            <Button
              onClick={(event) => {
                toConversation(event);
                session.retry(id);
              }}
            >
              Send again
            </Button>
            <Button
              onClick={(event) => {
                toConversation(event);
                session.discard(id);
              }}
            >
              Take back
            </Button>
          </>
        )}
        <Versions of={serial} version={version} label="version" />
        {delivery === undefined && isOwn && role === "user" && !isReadOnly && !isEditing && (
          <button
            type="button"
            className="quiet-button"
            ref={edit}
            onClick={() => setEditing(true)}
          >
            Edit
          </button>
        )}
      </div>
    </article>
  );
});

/** Sends another version; an answer that is being given to this one is wanted no more. */
function saveEdit(session: Session, serial: string, said: unknown): void {
  const isAnswered = session.turns.some((turn) => turn.input === serial && isOpen(turn));
  if (isAnswered) session.cancel({ input: serial }, "edited").catch(() => {});
  branchesOf(session).edit(serial, said);
}

interface EditorProps {
  text: string;
  onSave(text: string): void;
  onCancel(): void;
}

function Editor({ text, onSave, onCancel }: EditorProps) {
  const [value, setValue] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const isSame = value.trim() === "" || value === text;
  const save = () => !isSame && onSave(value);
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      onCancel();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return (
    <div className="editor">
      <textarea
        ref={field}
        aria-label="Your message, another version"
        rows={2}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
        onKeyDown={press}
      />
      <div className="choices">
        <Button onClick={onCancel}>Keep as it was</Button>
        <Button kind="main" aria-disabled={isSame} onClick={save}>
          Send this version
        </Button>
      </div>
    </div>
  );
}

interface VersionsProps {
  /** A message, or the turn of an answer. */
  of: string;
  version: string;
  label: string;
}

/** The versions of a message or of an answer, one of which is on screen. */
export function Versions({ of, version, label }: VersionsProps) {
  const session = useSession();
  if (version === "") return null;
  const [at = 1, all = 1] = version.split("/").map(Number);
  const to = (index: number, event: MouseEvent) => {
    const branches = branchesOf(session);
    const option = branches.at(of).options[index];
    if (option === undefined) return;
    toSameButton(event);
    branches.select(option);
  };
  return (
    <span className="versions">
      <button
        type="button"
        className="quiet-button"
        aria-label={`Earlier ${label}`}
        aria-disabled={at <= 1}
        onClick={(event) => to(at - 2, event)}
      >
        ‹
      </button>
      <span>
        {at} of {all}
      </span>
      <button
        type="button"
        className="quiet-button"
        aria-label={`Later ${label}`}
        aria-disabled={at >= all}
        onClick={(event) => to(at, event)}
      >
        ›
      </button>
    </span>
  );
}

/** Which version of a message or an answer is on screen, as text that is the same while it is. */
export function versionOf(session: Session, id: string): string {
  const { options, index } = branchesOf(session).at(id);
  return options.length < 2 ? "" : `${index + 1}/${options.length}`;
}
