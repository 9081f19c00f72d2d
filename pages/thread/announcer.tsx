// The words for a screen reader: each answer once it is whole, what waits for a person, and when the
// connection goes and comes back. Tokens are not read out.

import { memo, useEffect, useRef, useState } from "react";
import { isOpen } from "sessile";
import { useApprovals, useConnection } from "sessile/react";
import { type Entry, textOf } from "./entries.ts";
import { useNames } from "./names.tsx";

export function Announcer({ entries }: { entries: readonly Entry[] }) {
  const name = useNames();
  const [words, setWords] = useState("");
  const { pending } = useApprovals();
  const { state } = useConnection();
  const open = useRef(new Set<string>());
  const asked = useRef<ReadonlySet<string>>(new Set());
  const wasAway = useRef(false);

  useEffect(() => {
    for (const entry of entries) {
      if (entry.kind !== "answer") continue;
      const { turn, messages } = entry;
      if (isOpen(turn)) open.current.add(turn.id);
      else if (open.current.delete(turn.id)) {
        const text = messages.filter((it) => it.name === "message").map(textOf);
        const ending = turn.status === "complete" ? "" : ` The answer is ${turn.status}.`;
        setWords(`${name(turn.agent)}: ${plain(text.join(" "))}${ending}`);
      }
    }
  });

  useEffect(() => {
    const fresh = pending.filter(({ id }) => !asked.current.has(id));
    asked.current = new Set(pending.map(({ id }) => id));
    const [first] = fresh;
    if (first) setWords(`It waits for you: ${first.title}`);
  }, [pending]);

  useEffect(() => {
    if (state === "waiting") {
      wasAway.current = true;
      setWords("No connection.");
    } else if (state === "connected" && wasAway.current) {
      wasAway.current = false;
      setWords("The connection is back.");
    }
  }, [state]);

  return <Words words={words} />;
}

/** Touched only when there is something else to say. */
const Words = memo(function Words({ words }: { words: string }) {
  return (
    <p className="visually-hidden" role="status" aria-live="polite" aria-atomic="true">
      {words}
    </p>
  );
});

/** Markdown without its signs, for the ear. */
function plain(text: string): string {
  return text.replace(/```[\s\S]*?```/g, " (code) ").replace(/[*_`#>|]|^-+$/gm, "");
}
