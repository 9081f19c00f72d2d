// Every read that the page made, as a line for a shell.

import { memo } from "react";
import type { Reads } from "./reads.ts";
import { CopyLine, Section } from "./section.tsx";
import type { Known } from "./watch.ts";
import { bytes, clock, span } from "./words.ts";

/** Drawn again with all that is known, since each reading makes reads. */
export const Commands = memo(({ reads }: { reads: Reads; known: Known }) => {
  const made = [...reads.made.values()].reverse();
  return (
    <Section id="curl" title="The same with curl">
      <p className="quiet">
        The reads of this page, the newest first. Put a token with <code>admin</code> into{" "}
        <code>TOKEN</code>; it is in none of these lines.
      </p>
      <ul className="commands">
        {made.map((it) => (
          <li key={it.url}>
            <div>
              <strong>{it.what}</strong>{" "}
              <span className="quiet">
                {clock(it.at)}, status {it.status}, {bytes(it.bytes)} in {span(it.tookMs)}
              </span>
              <CopyLine made={it} label={`Copy as curl: ${it.what}`} />
            </div>
            <code className="line">{it.curl}</code>
          </li>
        ))}
      </ul>
    </Section>
  );
});
