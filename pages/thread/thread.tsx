// A conversation: what was said and is being said, from the end, with what is older on demand.

import { type ReactNode, useMemo } from "react";
import { type Approval, isOpen } from "sessile";
import {
  useBranches,
  useConnection,
  useHistory,
  useReadMarks,
  useSession,
  useTurns,
} from "sessile/react";
import { Button, Empty, Loading } from "../look/parts.tsx";
import { Announcer } from "./announcer.tsx";
import { Answer } from "./answer.tsx";
import { AskedIn } from "./approvals.tsx";
import { say } from "./composer.tsx";
import { type Entry, entriesOf } from "./entries.ts";
import { toConversation, whenGone } from "./focus.ts";
import { useNames } from "./names.tsx";
import { Past, usePast } from "./past.ts";
import { useReading } from "./reading.ts";
import { Said, versionOf } from "./said.tsx";
import { useEnd } from "./scroll.ts";
import "./thread.css";

/** Messages that one press reads. */
const OLDER = 30;

interface Props {
  /** Shown in place of messages where there are none yet. */
  empty?: ReactNode;
  /** Words to begin with, as buttons. */
  suggestions?: readonly string[];
  /** Nothing can be decided, stopped or changed: for people who watch. */
  isReadOnly?: boolean;
  /** Names the conversation, where a page has several. */
  label?: string;
}

/** A conversation that scrolls by itself; put a `Composer` below it. */
export function Thread(props: Props) {
  const session = useSession();
  // The state of one session is not that of another.
  return <Shown key={session.id} {...props} />;
}

function Shown({ empty, suggestions, isReadOnly = false, label = "Conversation" }: Props) {
  const session = useSession();
  const messages = useBranches();
  const turns = useTurns();
  const { state } = useConnection();
  const { hasOlder, isLoadingOlder, loadOlder } = useHistory();
  const entries = useMemo(() => entriesOf(messages, turns), [messages, turns]);
  const { scroller, content, isAtEnd, toEnd } = useEnd(
    messages[0]?.serial,
    messages.findLast(({ delivery }) => delivery !== undefined)?.id,
  );
  useReading(messages, isAtEnd && !isReadOnly);
  const past = usePast();
  const isNew = messages.length === 0 && state !== "connected" && state !== "closed";
  return (
    <div className="thread">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
      <section className="scroller" ref={scroller} tabIndex={0} aria-label={label}>
        <div className="content" ref={content}>
          {hasOlder && (
            <Button
              className="older"
              aria-disabled={isLoadingOlder}
              onClick={({ currentTarget }) => {
                const after = whenGone(currentTarget);
                loadOlder(OLDER).then(after, () => {});
              }}
            >
              {isLoadingOlder ? "Reading earlier messages…" : "Earlier messages"}
            </Button>
          )}
          {isNew && <Loading label="Reading the conversation" />}
          {entries.length === 0 && !isNew && (
            <Empty title="Nothing was said yet">
              {empty}
              <ul className="suggestions">
                {suggestions?.map((text) => (
                  <li key={text}>
                    <Button
                      onClick={(event) => {
                        toConversation(event);
                        say(session, text, "alongside");
                      }}
                    >
                      {text}
                    </Button>
                  </li>
                ))}
              </ul>
            </Empty>
          )}
          <Past value={past}>
            <Entries entries={entries} isReadOnly={isReadOnly} />
          </Past>
          <Loose isReadOnly={isReadOnly} entries={entries} />
        </div>
      </section>
      {!isAtEnd && (
        <Button className="to-end" onClick={toEnd}>
          To the newest{turns.some(isOpen) && " ↓"}
        </Button>
      )}
      <Announcer entries={entries} />
    </div>
  );
}

interface EntriesProps {
  entries: readonly Entry[];
  isReadOnly: boolean;
}

function Entries({ entries, isReadOnly }: EntriesProps) {
  const session = useSession();
  const name = useNames();
  const marks = useReadMarks();
  const own = session.client;
  const lastOwn = entries.findLast(
    (it) => it.kind === "said" && it.message.client === own && it.message.delivery === undefined,
  );
  const readersOf = (entry: Entry): string => {
    if (entry !== lastOwn || entry.kind !== "said") return "";
    const { serial } = entry.message;
    const readers = marks.filter((mark) => mark.client !== own && mark.serial >= serial);
    return readers.map(({ client }) => name(client)).join(", ");
  };
  return (
    <ol className="entries">
      {entries.map((entry) => (
        <li key={entry.key}>
          {entry.kind === "said" ? (
            <Said
              message={entry.message}
              name={name(entry.message.client)}
              isOwn={entry.message.client === own}
              isReadOnly={isReadOnly}
              readers={readersOf(entry)}
              version={versionOf(session, entry.message.serial)}
            />
          ) : (
            <Answer
              turn={entry.turn}
              messages={entry.messages}
              name={entry.turn.agent === undefined ? "Agent" : name(entry.turn.agent)}
              stoppedBy={entry.turn.cancel ? name(entry.turn.cancel.by) : ""}
              isReadOnly={isReadOnly}
              isLast={entry === entries.at(-1)}
              version={versionOf(session, entry.turn.id)}
            />
          )}
        </li>
      ))}
    </ol>
  );
}

/** Everything that was asked outside of the answers on screen. */
function Loose({ entries, isReadOnly }: EntriesProps) {
  const shown = new Set(entries.map(({ key }) => key));
  const turns = useTurns();
  // A turn that no entry shows, nor one around it.
  const isElsewhere = (turn: string | undefined): boolean => {
    if (turn === undefined) return true;
    const within = turns.find(({ id }) => id === turn)?.within;
    return !shown.has(turn) && isElsewhere(within);
  };
  return <AskedIn where={({ turn }: Approval) => isElsewhere(turn)} isReadOnly={isReadOnly} />;
}
