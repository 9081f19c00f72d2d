// Parts of the page that several of its sections need.

import { type ReactNode, useState } from "react";
import { Button } from "../look/parts.tsx";
import type { Made, Reads } from "./reads.ts";

interface SectionProps {
  id: string;
  title: string;
  /** Beside the title. */
  beside?: ReactNode;
  children: ReactNode;
}

export function Section({ id, title, beside, children }: SectionProps) {
  return (
    <section className="part" id={id} aria-labelledby={`${id}-title`}>
      <div className="part-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {beside}
      </div>
      {children}
    </section>
  );
}

/** A link to a rule of the protocol. */
export function Rule({ rule }: { rule: string }) {
  return (
    <a className="rule" href={`/protocol#${rule}`} target="_blank" rel="noopener">
      {rule}
    </a>
  );
}

/** A sentence with text of others in backticks. */
export function Sentence({ text }: { text: string }) {
  return (
    <>{text.split("`").map((part, at) => (at % 2 === 0 ? part : <code key={at}>{part}</code>))}</>
  );
}

/** Copies the first read of some words as a line for a shell: of pages that is the whole. */
export function CopyCurl({ reads, what }: { reads: Reads; what: string }) {
  const made = [...reads.made.values()].find((it) => it.what === what);
  return made ? <CopyLine made={made} label={`Copy as curl: ${what}`} /> : null;
}

export function CopyLine({ made, label }: { made: Made; label: string }) {
  const [state, setState] = useState("");
  const copy = () => {
    navigator.clipboard.writeText(made.curl).then(
      () => setState("Copied"),
      () => setState("The browser does not allow it: copy the line below by hand"),
    );
    setTimeout(() => setState(""), 4000);
  };
  return (
    <span className="copy">
      <Button aria-label={label} title={made.curl} onClick={copy}>
        Copy as curl
      </Button>
      <span role="status">{state}</span>
    </span>
  );
}

interface TableProps {
  label: string;
  head: readonly string[];
  children: ReactNode;
}

/** A table that scrolls by itself where it is too wide. */
export function Table({ label, head, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard
    <section className="table-box" tabIndex={0} aria-label={label}>
      <table>
        <caption className="visually-hidden">{label}</caption>
        <thead>
          <tr>
            {head.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
