// The turns as a table: who answered what, how long that took, and how it ended.

import { memo, useState } from "react";
import { Button, Empty } from "../look/parts.tsx";
import { CopyCurl, Rule, Section, Table } from "./section.tsx";
import type { Turn } from "./shapes.ts";
import type { Known, Watch } from "./watch.ts";
import { ago, clock, count, moment, shown, span, value } from "./words.ts";

const HEAD = ["Turn", "State", "Agent", "Answers", "Began", "Waited", "Took", "Used", "More"];
/** Rows at once. */
const ROWS = 50;

interface Props {
  watch: Watch;
  known: Known;
  /** Moves the timeline to a moment. */
  onMoment: (at: number) => void;
}

export const Turns = memo(({ watch, known, onMoment }: Props) => {
  const [listed, setListed] = useState(ROWS);
  const all = [...known.turns.values()];
  const now = watch.now();
  const more = () => {
    setListed(listed + ROWS);
    if (listed + ROWS > all.length && known.hasOlderTurns) void watch.olderTurns();
  };
  return (
    <Section id="turns" title="Turns" beside={<CopyCurl reads={watch.reads} what="its turns" />}>
      {all.length === 0 ? (
        <Empty title="No agent has answered anything yet" />
      ) : (
        <Table label="Turns, the newest first" head={HEAD}>
          {all.slice(0, listed).map((turn) => (
            <Row key={turn.id} turn={turn} now={now} onMoment={onMoment} />
          ))}
        </Table>
      )}
      {(all.length > listed || known.hasOlderTurns) && (
        <Button className="more" disabled={known.isReading} onClick={more}>
          Older turns
        </Button>
      )}
      <p className="quiet">
        How a turn lives, and how its agent is missed: <Rule rule="P6.1" /> <Rule rule="P6.8" />
      </p>
    </Section>
  );
});

function Row({ turn, now, onMoment }: { turn: Turn; now: number } & Pick<Props, "onMoment">) {
  const { id, status, reason, agent, input, createdAt, startedAt, endedAt, usage } = turn;
  const began = startedAt ?? createdAt;
  return (
    <tr data-failed={status === "failed"}>
      <td>
        <button
          type="button"
          className="serial"
          aria-label={`Show turn ${shown(id, 60)} in the timeline`}
          onClick={() => {
            onMoment(endedAt ?? began);
            document.getElementById("timeline")?.scrollIntoView();
          }}
        >
          {shown(id, 60)}
        </button>
      </td>
      <td>{reason === undefined ? status : `${status}: ${shown(reason, 60)}`}</td>
      <td>{agent === undefined ? "nobody yet" : shown(agent, 40)}</td>
      <td>{input === undefined ? "–" : <code>{input}</code>}</td>
      <td>
        <time dateTime={new Date(began).toISOString()} title={moment(began)}>
          {ago(began, now)}
        </time>
      </td>
      <td className="number">{startedAt === undefined ? "–" : span(startedAt - createdAt)}</td>
      <td className="number">
        {endedAt === undefined ? `${span(Math.max(now - began, 0))} so far` : span(endedAt - began)}
      </td>
      <td>{usage === undefined ? "–" : value(usage, 120)}</td>
      <td className="about">{details(turn, now)}</td>
    </tr>
  );
}

/** Everything else that a turn says of itself. */
function details(
  { attempt, cancel, error, within, leaseUntil, ...turn }: Turn,
  now: number,
): string {
  const parts: string[] = [];
  if (attempt > 1) parts.push(count(attempt, "attempt"));
  if (cancel !== undefined) {
    const why = cancel.reason === undefined ? "" : ` (${shown(cancel.reason, 60)})`;
    parts.push(`cancelled by ${shown(cancel.by, 40)} at ${clock(cancel.at)}${why}`);
  }
  if (error !== undefined) parts.push(`error ${value(error, 160)}`);
  if (within !== undefined) parts.push(`within ${shown(within, 40)}`);
  if (leaseUntil !== undefined) parts.push(`its lease ends ${ago(leaseUntil, now)}`);
  if (turn.traceparent !== undefined) parts.push(`trace ${shown(turn.traceparent, 60)}`);
  return parts.join(" · ") || "–";
}
