// The parts that all pages are made of.

import type { ButtonHTMLAttributes, ReactNode } from "react";
import "./base.css";
import "./parts.css";

/** How urgent something is; each has a colour, and the words beside it say the same. */
export type Tone = "good" | "warn" | "bad" | "note" | "quiet";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "main" | "danger" | undefined;
}

/** A button; `aria-pressed` shows that what it does is being done. */
export function Button({ kind, className = "", ...rest }: ButtonProps) {
  return <button type="button" {...rest} className={`button ${className}`} data-kind={kind} />;
}

/** A dot and words. */
export function Status({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="status" data-tone={tone}>
      {children}
    </span>
  );
}

interface NoteProps {
  tone?: Tone;
  title?: string;
  /** Whether it is read out at once when it appears. */
  isUrgent?: boolean;
  children?: ReactNode;
}

/** Words that stand out: an error with its remedy, an offer, a warning. */
export function Note({ tone = "quiet", title, isUrgent, children }: NoteProps) {
  return (
    <section className="note" data-tone={tone} role={isUrgent ? "alert" : undefined}>
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </section>
  );
}

/** The place of a list that has nothing in it, and says what will be there. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** The place of what is being loaded. */
export function Loading({ label }: { label: string }) {
  return (
    <div className="bones" role="status" aria-label={label}>
      <span />
      <span />
      <span />
    </div>
  );
}

/** The head of a page: its name, what belongs beside it, and the ways to the other pages. */
export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className="page-header">
      <h1>{title}</h1>
      {children}
      <nav aria-label="Pages">
        <a href="/">Demo</a>
        <a href="/console">Console</a>
      </nav>
    </header>
  );
}
