// The counters: what became of each token on each device.

import { useEffect, useState } from "react";
import { DEVICES } from "./devices.ts";
import { type Counts, NONE, type Tally } from "./tally.ts";

const EVERY_MS = 500;

export interface Counted {
  /** Tokens that the session has acknowledged. */
  said: number;
  /** By device, in their order. */
  counts: readonly Counts[];
}

/** The present counts, twice a second. */
export function useCounted(tally: Tally): Counted {
  const [counted, setCounted] = useState<Counted>({ said: 0, counts: DEVICES.map(() => NONE) });
  useEffect(() => {
    const timer = setInterval(() => {
      const counts = DEVICES.map(({ client }) => tally.counts(client));
      setCounted({ said: tally.said, counts });
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [tally]);
  return counted;
}

const NAMES = ["delivered", "lost", "repeated"] as const;

/** The counts of one device in a line. */
export function DeviceCounts({ counts }: { counts: Counts }) {
  return (
    <dl className="counts">
      {NAMES.map((name) => (
        <div key={name} data-bad={name !== "delivered" && counts[name] > 0}>
          <dt>{name}</dt>
          <dd data-count={name}>{counts[name].toLocaleString("en")}</dd>
        </div>
      ))}
    </dl>
  );
}

/** How they come about. */
export function HowCounted({ said }: { said: number }) {
  return (
    <section className="panel" aria-labelledby="counted">
      <h2 id="counted">Tokens, counted</h2>
      <p>
        Acknowledged to the agents since this page was loaded:{" "}
        <b data-count="said">{said.toLocaleString("en")}</b>
      </p>
      <p className="soft">
        The agents report each text that the session has acknowledged, and its place in the log.
        Each device reports the text that it shows, and how far it has read. A token is lost if the
        device has read its place and does not show it in the two seconds after that. It is repeated
        if the device shows it more often than it was said. Anything else is on its way.
      </p>
    </section>
  );
}
