// The counters: what became of each token on each device.

import { useEffect, useState } from "react";
import { DEVICES } from "./devices.ts";
import { type Counts, NONE, type Tally } from "./tally.ts";

const EVERY_MS = 500;

export function Counted({ tally }: { tally: Tally }) {
  const [said, setSaid] = useState(0);
  const [counts, setCounts] = useState<readonly Counts[]>(DEVICES.map(() => NONE));
  useEffect(() => {
    const timer = setInterval(() => {
      const now = performance.now();
      setSaid(tally.said);
      setCounts(DEVICES.map(({ client }) => tally.counts(client, now)));
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [tally]);
  return (
    <section className="panel" aria-labelledby="counted">
      <h2 id="counted">Tokens, counted</h2>
      <table className="counted">
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col">Delivered</th>
            <th scope="col">Lost</th>
            <th scope="col">Repeated</th>
          </tr>
        </thead>
        <tbody>
          {DEVICES.map(({ client, title }, at) => {
            const { delivered, lost, repeated } = counts[at] ?? NONE;
            return (
              <tr key={client} data-device={client}>
                <th scope="row">{title}</th>
                <td data-count="delivered">{delivered}</td>
                <td data-count="lost" data-bad={lost > 0}>
                  {lost}
                </td>
                <td data-count="repeated" data-bad={repeated > 0}>
                  {repeated}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="soft">
        The session has acknowledged <span data-count="said">{said}</span> tokens to the agents
        since this page was loaded.
      </p>
      <details>
        <summary>How they are counted</summary>
        <p>
          The agents report each text that the session has acknowledged, and its place in the log.
          Each device reports the text that it shows, and how far it has read. A token is lost if
          the device has read its place and does not show it two seconds later; it is repeated if
          the device shows it more often than it was said.
        </p>
      </details>
    </section>
  );
}
