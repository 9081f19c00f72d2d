// Connections: who has one, how it began, what it was refused, and which are gone.

import { memo } from "react";
import { Empty } from "../look/parts.tsx";
import { codes, times } from "./findings/text.ts";
import { type Return, returnsOf } from "./returns.ts";
import { CopyCurl, Rule, Section, Table } from "./section.tsx";
import type { Connected, Gone, Trace } from "./shapes.ts";
import type { Known, Watch } from "./watch.ts";
import { ago, bytes, clock, count, shown, span } from "./words.ts";

const OPEN = [
  "Client",
  "Connection",
  "Kind",
  "Window",
  "Began",
  "Replayed",
  "Refused",
  "Not taken",
  "Last seen",
];
const BACK = ["Client", "After", "Connection", "Back", "Away", "Log meanwhile", "How", "Replayed"];
/** Open connections, and returns, that are listed. */
const LISTED = 100;
const GONE = [
  "Client",
  "Connection",
  "Kind",
  "Gone",
  "How",
  "Log then",
  "Began",
  "Replayed",
  "Refused",
];

export const Connections = memo(({ watch, known }: { watch: Watch; known: Known }) => {
  const { diagnostics } = known;
  if (diagnostics === undefined) return null;
  const { connections, traces, presence } = diagnostics;
  const now = watch.now();
  const own = watch.tap.connection;
  const gone = [...traces.gone].reverse();
  // Those with trouble first: a session may have ten thousand.
  const trouble = ({ unsent, trace }: Connected) =>
    unsent + Object.keys(trace?.refused ?? {}).length + (trace?.reason === undefined ? 0 : 1);
  const sorted = [...connections].sort((one, other) => trouble(other) - trouble(one));
  const listed = sorted.slice(0, LISTED);
  return (
    <Section
      id="connections"
      title="Connections"
      beside={<CopyCurl reads={watch.reads} what="how its object is" />}
    >
      <p className="quiet">
        Since the session's object woke: {count(traces.attached, "connection")} attached,{" "}
        {traces.resumed} resumed, {count(traces.frames, "frame")} ({bytes(traces.bytes)}) replayed;
        refused: {codes(traces.refused) || "nothing"}; closed by the session:{" "}
        {closings(traces.closed) || "none"}. <Rule rule="P11.4" />
      </p>
      <h3>Open</h3>
      {connections.length === 0 ? (
        <Empty title="Nobody is connected" />
      ) : (
        <Table label="Open connections" head={OPEN}>
          {listed.map(({ client, connection, kind, window, unsent, trace }) => (
            <tr key={connection}>
              <td>
                {shown(client, 40)}
                {connection === own && <em> (this page)</em>}
              </td>
              <td>
                <code>{connection}</code>
              </td>
              <td>{kind}</td>
              <td className="number">{window} ms</td>
              <td>{began(trace, now)}</td>
              <td className="number">{replayed(trace)}</td>
              <td>{(trace && codes(trace.refused)) || "–"}</td>
              <td className="number">{bytes(unsent)}</td>
              <td>{trace?.seenAt === undefined ? "no probe yet" : ago(trace.seenAt, now)}</td>
            </tr>
          ))}
        </Table>
      )}
      {sorted.length > LISTED && (
        <p className="quiet">
          {count(sorted.length - LISTED, "more connection")} without trouble, or with less.
        </p>
      )}
      <h3>Gone</h3>
      {gone.length === 0 ? (
        <Empty title="None is gone since the object woke" />
      ) : (
        <Table label="Connections that are gone" head={GONE}>
          {gone.map((it) => (
            <tr key={it.connection} data-failed={it.code !== undefined}>
              <td>{shown(it.client, 40)}</td>
              <td>
                <code>{it.connection}</code>
              </td>
              <td>{it.kind}</td>
              <td>{ago(it.goneAt, now)}</td>
              <td>{how(it)}</td>
              <td>
                <code>{it.serial}</code>
              </td>
              <td>{began(it.trace, now)}</td>
              <td className="number">{replayed(it.trace)}</td>
              <td>{codes(it.trace.refused) || "–"}</td>
            </tr>
          ))}
        </Table>
      )}
      <Returns all={returnsOf(diagnostics, known.record.entries, own)} now={now} />
      {presence.length > 0 && (
        <details>
          <summary>Who came and left ({count(presence.length, "change")} of presence)</summary>
          <Table label="Changes of presence" head={["When", "What", "Client", "Connection"]}>
            {[...presence].reverse().map(({ at, what, client, connection }) => (
              <tr key={`${at} ${connection} ${what}`}>
                <td>{clock(at)}</td>
                <td>{what}</td>
                <td>{shown(client, 40)}</td>
                <td>
                  <code>{connection}</code>
                </td>
              </tr>
            ))}
          </Table>
        </details>
      )}
    </Section>
  );
});

/** Clients that lost a connection and came back. */
function Returns({ all, now }: { all: Return[]; now: number }) {
  if (all.length === 0) return null;
  return (
    <>
      <h3>Back again</h3>
      <Table label="Clients that came back, the latest first" head={BACK}>
        {all.slice(0, LISTED).map((it) => (
          <tr key={it.connection}>
            <td>{shown(it.client, 40)}</td>
            <td>
              <code>{it.before.connection}</code>
            </td>
            <td>
              <code>{it.connection}</code>
            </td>
            <td>{ago(it.attachedAt, now)}</td>
            <td className="number">{span(it.awayMs)}</td>
            <td className="number">{count(it.missed, "entry", "entries")}</td>
            <td>{it.trace.resumed ? "resumed" : `anew${why(it.trace)}`}</td>
            <td className="number">{replayed(it.trace)}</td>
          </tr>
        ))}
      </Table>
      <p className="quiet">
        The session knows clients and connections, not pages: a connection is taken to follow the
        last one of its client that had ended. <Rule rule="P3.5" />
      </p>
    </>
  );
}

function why({ reason }: Trace): string {
  return reason === undefined ? "" : `: ${shown(reason, 160)}`;
}

function how({ code, reason }: Gone): string {
  if (code === undefined) return "the client closed it, or its network";
  return `the session closed it: ${code} ${shown(reason ?? "", 120)}`;
}

function began(trace: Trace | undefined, now: number): string {
  if (trace?.attachedAt === undefined) return "before the object woke";
  const when = ago(trace.attachedAt, now);
  if (trace.resumed) return `${when}, resumed`;
  return `${when}, anew${why(trace)}`;
}

function replayed(trace: Trace | undefined): string {
  return trace === undefined ? "–" : `${count(trace.frames, "frame")}, ${bytes(trace.bytes)}`;
}

/** Connections that the session closed, by the code: `4429 twice`. */
function closings(closed: Record<string, number>): string {
  const all = Object.entries(closed).map(([code, number]) => `${code} ${times(number)}`);
  return all.join(", ");
}
