// A question that must be answered before anything happens. Escape answers it with no.

import { type FormEvent, type ReactNode, useId, useLayoutEffect, useRef, useState } from "react";
import { Button, Note } from "../look/parts.tsx";
import { wordsOf } from "./words.ts";
import "./dialog.css";

interface Props {
  title: string;
  /** The word for what happens; none where there is only something to read. */
  yes?: string;
  isDangerous?: boolean;
  /** Closes the dialog, unless it rejects: then the reason is shown. */
  onYes?: () => Promise<unknown>;
  /** Whether it can happen now: not without a network. */
  isLive?: boolean;
  onClose: () => void;
  children?: ReactNode;
}

/** A dialog over the page; the focus goes back to where it was. */
export function Dialog({
  title,
  yes,
  isDangerous,
  onYes,
  isLive = true,
  onClose,
  children,
}: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  // At once: the next key may be meant for it.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector<HTMLElement>(".dialog-main")?.focus();
    return () => element?.close();
  }, []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy || !isLive) return;
    setBusy(true);
    try {
      await onYes?.();
      dialog.current?.close();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={name} onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id={name} tabIndex={-1} className={yes ? "" : "dialog-main"}>
          {title}
        </h2>
        {children}
        {error !== undefined && (
          <Note tone="bad" isUrgent>
            {wordsOf(error)}
          </Note>
        )}
        {!isLive && (
          <Note tone="warn" isUrgent>
            {isBusy
              ? "The network is away: it is sent as soon as that is back."
              : "The network is away: this has to wait until it is back."}
          </Note>
        )}
        <div className="dialog-ways">
          <Button onClick={() => dialog.current?.close()}>
            {yes && !isBusy ? "Not now" : "Close"}
          </Button>
          {yes && (
            <Button
              type="submit"
              kind={isDangerous ? "danger" : "main"}
              className="dialog-main"
              aria-disabled={isBusy || !isLive}
            >
              {isBusy ? "Just a moment…" : yes}
            </Button>
          )}
        </div>
      </form>
    </dialog>
  );
}

interface ChoiceProps<T extends string> {
  legend: string;
  /** Each with its words. */
  options: readonly (readonly [T, ReactNode])[];
  value: T;
  onChange: (value: T) => void;
  /** The key that goes to the chosen one, or to the first. */
  shortcut?: string;
}

/** One of a few. */
export function Choice<T extends string>(props: ChoiceProps<T>) {
  const { legend, options, value, onChange, shortcut } = props;
  const name = useId();
  const at = Math.max(
    options.findIndex(([option]) => option === value),
    0,
  );
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      {options.map(([option, words], index) => (
        <label key={option}>
          <input
            type="radio"
            name={name}
            checked={option === value}
            data-key="focus"
            aria-keyshortcuts={index === at ? shortcut : undefined}
            onChange={() => onChange(option)}
          />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
