// The turns within an answer: each specialist with how far it has come, from the shared state.

import { isOpen, type Turn } from "sessile";
import { useChildTurns, useMessages, useSession, useSharedState } from "sessile/react";
import { AskedIn } from "./approvals.tsx";
import { textOf } from "./entries.ts";
import { useNames } from "./names.tsx";

/** How far a turn has come, at `["progress", turn]` of the shared state. */
export interface Progress {
  done: number;
  of: number;
  note: string;
}

interface Tree {
  progress?: Readonly<Record<string, Progress>>;
}

/** The turns right within a turn; nothing where there are none. */
export function Specialists({ turn, isReadOnly }: { turn: string; isReadOnly: boolean }) {
  const turns = useChildTurns(turn);
  if (turns.length === 0) return null;
  return (
    <>
      <ul className="specialists" aria-label="Specialists">
        {turns.map((child) => (
          <Specialist key={child.id} turn={child} isReadOnly={isReadOnly} />
        ))}
      </ul>
      {turns.map(({ id }) => (
        <AskedIn key={id} where={({ turn: of }) => of === id} isReadOnly={isReadOnly} />
      ))}
    </>
  );
}

function Specialist({ turn, isReadOnly }: { turn: Turn; isReadOnly: boolean }) {
  const session = useSession();
  const name = useNames();
  const {
    done = 0,
    of = 1,
    note = "",
  } = useSharedState<Tree, ["progress", string]>(["progress", turn.id]) ?? {};
  const said = useMessages().findLast((message) => message.turn === turn.id);
  const { title = name(turn.agent) } = (turn.metadata ?? {}) as { title?: string };
  return (
    <li data-status={turn.status}>
      <p className="who">
        {title}
        <small>{STANDS[turn.status]}</small>
      </p>
      <progress aria-label={`${title}, how far`} value={done} max={of} />
      <p className="note-line">{said ? textOf(said) : note}</p>
      {isOpen(turn) && !turn.cancel && !isReadOnly && (
        <button
          type="button"
          className="quiet-button"
          aria-label={`Stop ${title}`}
          onClick={() => void session.cancel(turn.id, "stopped").catch(() => {})}
        >
          Stop
        </button>
      )}
    </li>
  );
}

const STANDS: Record<Turn["status"], string> = {
  queued: "waits",
  active: "at work",
  suspended: "waits for you",
  complete: "done",
  cancelled: "stopped",
  failed: "failed",
};
