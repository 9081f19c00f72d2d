// The head of a session: its name, its connection, and the ways from here.

import { useEffect, useRef } from "react";
import { Button, Status } from "../look/parts.tsx";
import { hasMoved, LIST } from "./place.ts";
import { Plain } from "./plain.tsx";
import type { Standing } from "./standing.ts";

interface Props {
  id: string;
  title: string | undefined;
  standing: Standing;
  isAbout: boolean;
  onAbout: (() => void) | undefined;
}

/** It takes the focus when its session is opened. */
export function Head({ id, title, standing, isAbout, onAbout }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Somebody who has just come to the page has chosen no session yet.
  useEffect(() => {
    if (hasMoved()) heading.current?.focus();
  }, []);
  const { tone, words } = standing;
  return (
    <header className="head">
      <a className="head-back" href={LIST} data-back="press">
        <span aria-hidden="true">←</span> List
      </a>
      <div className="head-name">
        <h2 ref={heading} tabIndex={-1} data-home id="session-name">
          <Plain text={title ?? id} />
        </h2>
        {title !== undefined && <code>{id}</code>}
      </div>
      <span role="status">
        <Status tone={tone}>{words}</Status>
      </span>
      <a href={`/inspect/${encodeURIComponent(id)}`} aria-keyshortcuts="i">
        Inspect
      </a>
      {onAbout && (
        <Button className="head-about" aria-expanded={isAbout} onClick={onAbout}>
          Details
        </Button>
      )}
    </header>
  );
}
