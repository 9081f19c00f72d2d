// The place to write: a message, and while an agent answers the choice of what it does to that.

import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { branchesOf, isOpen, type Session, type Turn } from "sessile";
import { useConnection, useLead, useSession, useTurns, useUsage } from "sessile/react";
import { Button, Note } from "../look/parts.tsx";
import { AttachButton, AttachedList, takesFiles, useAttached } from "./attach.tsx";
import { labelOf } from "./fields.ts";
import { type About, Typing, useNames, useTyping } from "./names.tsx";

/** The effect of a message on an answer that is being given. */
export type How = "alongside" | "interrupt" | "steer";

const HOWS: readonly (readonly [How, string, string])[] = [
  ["alongside", "Alongside", "It is answered beside the other one"],
  ["interrupt", "Interrupt", "The answer stops, and this one is given instead"],
  ["steer", "Steer", "The answer goes on as you tell it"],
];

/** The turns that somebody may stop: those of agents, without the ones within them. */
export function answering(turns: readonly Turn[]): readonly Turn[] {
  return turns.filter((turn) => isOpen(turn) && turn.within === undefined);
}

/**
 * Says something in a session: a text, or one with files. A person who leads speaks in the place of
 * the agents.
 */
export function say(session: Session, said: unknown, how: How, isLeading = false): void {
  const branches = branchesOf(session);
  const steered = answering(session.turns).findLast(({ cancel }) => !cancel);
  if (how === "steer" && steered) {
    // Its turn may have ended meanwhile: then it is a message like any other.
    session.steer(steered.id, said).catch(() => branches.send(said));
    return;
  }
  branches.send(said, {
    ...(isLeading && { role: "assistant" }),
    ...(how === "interrupt" && { interrupt: true }),
  });
}

interface Props {
  about?: About;
  /** Shown in the empty field. */
  placeholder?: string;
}

/** A field for messages; Enter sends, Shift and Enter begin a line, Escape stops the answers. */
export function Composer({ about = {}, placeholder = "Write a message" }: Props) {
  const session = useSession();
  const { isOwn } = useLead();
  const [text, setText] = useState("");
  const [how, setHow] = useState<How>("alongside");
  const typing = useTyping(about);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const open = answering(useTurns());
  const isBusy = open.length > 0;
  // A turn that waits for a person is not disturbed by a message.
  const isAnswering = open.some(({ status }) => status === "active" || status === "queued");
  const stop = () => void session.cancel({ all: true }, "stopped").catch(() => {});
  useEscape(isBusy, stop);

  const attached = useAttached();
  const { isSending } = attached;
  const isEmpty = text.trim() === "" && attached.files.length === 0;
  const send = async () => {
    if (isEmpty || isSending) return;
    const files = attached.files.length > 0 ? await attached.upload() : [];
    if (!files) return;
    const said = files.length > 0 ? { text, files } : text;
    say(session, said, isAnswering ? how : "alongside", isOwn);
    setText("");
    typing(false);
    field.current?.focus();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const press = (event: KeyboardEvent) => {
    // A key that an input method needs is not for this page.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };

  return (
    <form className="composer" onSubmit={submit} {...takesFiles(attached)}>
      <Notices />
      <div className="composer-line">
        <Typing />
        {isAnswering && !isOwn && (
          <fieldset className="hows">
            <legend className="visually-hidden">What your message does to the answer</legend>
            {HOWS.map(([value, label, title]) => (
              <label key={value} title={title}>
                <input
                  type="radio"
                  name={`${id}-how`}
                  checked={how === value}
                  onChange={() => setHow(value)}
                />
                <span>{label}</span>
              </label>
            ))}
          </fieldset>
        )}
      </div>
      <AttachedList attached={attached} />
      <div className="composer-field">
        <AttachButton attached={attached} />
        <label className="visually-hidden" htmlFor={id}>
          Message
        </label>
        <textarea
          id={id}
          ref={field}
          rows={1}
          value={text}
          readOnly={isSending}
          placeholder={isOwn ? "Answer in place of the agents" : placeholder}
          aria-describedby={`${id}-keys`}
          aria-keyshortcuts="Enter Escape"
          onInput={(event) => {
            setText(event.currentTarget.value);
            typing(event.currentTarget.value !== "");
          }}
          onKeyDown={press}
        />
        <Button className="stop" aria-disabled={!isBusy} onClick={() => isBusy && stop()}>
          Stop
        </Button>
        <Button kind="main" type="submit" aria-disabled={isEmpty || isSending}>
          Send
        </Button>
      </div>
      <p id={`${id}-keys`} className="visually-hidden">
        Enter sends, Shift and Enter begin a new line, Escape stops the answer.
      </p>
    </form>
  );
}

/** Escape, wherever the focus is, unless something there has its own use for it. */
function useEscape(isWanted: boolean, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!isWanted) return;
    const press = ({ key, isComposing, defaultPrevented }: globalThis.KeyboardEvent) => {
      if (key === "Escape" && !isComposing && !defaultPrevented) latest.current();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [isWanted]);
}

/** The reasons why a message is not answered now. */
function Notices() {
  const { lead, isOwn } = useLead();
  const { overBudget } = useUsage();
  const { state, error } = useConnection();
  const session = useSession();
  const name = useNames();
  return (
    <div className="notices">
      {state === "waiting" && (
        <Note tone="warn">No connection. What you write is sent when it is back.</Note>
      )}
      {state === "closed" && (
        <Note tone="bad" title="This session cannot be reached" isUrgent>
          <p>{error?.message}</p>
          <Button onClick={() => void session.connect()}>Try again</Button>
        </Note>
      )}
      {overBudget && (
        <Note tone="warn">
          The budget is spent ({amount(overBudget.used)} of {amount(overBudget.limit)}{" "}
          {labelOf(overBudget.name).toLowerCase()}). Messages are kept, and answered once it is
          raised.
        </Note>
      )}
      {lead && (
        <Note tone="note">
          {isOwn
            ? "You answer now, in place of the agents."
            : `${lead.name ?? name(lead.client)} answers you now.`}
          {lead.note && ` ${lead.note}`}
        </Note>
      )}
    </div>
  );
}

const amount = (value: number) => value.toLocaleString("en");
