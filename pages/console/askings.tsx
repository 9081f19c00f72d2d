// The approvals and questions of a session: what waits, and what was just decided.

import { useEffect, useRef } from "react";
import { useApprovals } from "sessile/react";
import { Asking } from "./asking.tsx";
import { focusSession } from "./head.tsx";
import type { Me } from "./me.ts";
import { Plain } from "./plain.tsx";
import { settledWords } from "./words.ts";

/** Settled ones that stay in view. */
const SETTLED = 5;

/** All that is to be decided here. */
export function Askings({ me }: { me: Me }) {
  const { pending, settled, decide } = useApprovals();
  const list = useRef<HTMLDivElement>(null);
  const hadFocus = useRef(false);
  // One that had the focus may be settled by somebody else.
  useEffect(() => {
    if (hadFocus.current && document.activeElement === document.body) {
      const next = list.current?.querySelector<HTMLElement>(".asking");
      if (next) next.focus();
      else focusSession();
    }
    hadFocus.current = list.current?.contains(document.activeElement) ?? false;
  });
  return (
    <div
      className="askings"
      ref={list}
      onFocusCapture={() => {
        hadFocus.current = true;
      }}
      onBlurCapture={(event) => {
        // The element is gone: this is no leaving.
        if (event.relatedTarget) hadFocus.current = false;
      }}
    >
      {pending.map((approval) => (
        <Asking key={approval.id} approval={approval} me={me} decide={decide} />
      ))}
      <ul className="settled" role="status" aria-label="Decided just now">
        {settled.slice(-SETTLED).map((approval) => (
          <li key={approval.id}>
            <Plain text={approval.title} />: <Plain text={settledWords(approval)} />
          </li>
        ))}
      </ul>
    </div>
  );
}
