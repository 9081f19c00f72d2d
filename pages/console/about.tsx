// The details of a session beside its conversation: the turns, the people, the usage.

import { useMemo, useState } from "react";
import { isOpen, type Turn } from "sessile";
import { usePresence, useSilence, useUsage } from "sessile/react";
import { Button, Note, Status } from "../look/parts.tsx";
import { CancelDialog } from "./cancel.tsx";
import { Plain } from "./plain.tsx";
import { Ago } from "./time.tsx";
import { turnWords } from "./words.ts";

/** Final turns that are shown. */
const ENDED = 8;

interface Props {
  turns: readonly Turn[];
  /** Whether it is in no inbox of this person. */
  isUnlisted: boolean;
  onForget: () => void;
}

/** The details of a session. */
export function About({ turns, isUnlisted, onForget }: Props) {
  return (
    <aside className="about" aria-label="Details">
      {isUnlisted && (
        <Note>
          <p>This session is not in your inbox: nothing in it was asked of you.</p>
          <Button onClick={onForget}>Take it off the list</Button>
        </Note>
      )}
      <Turns turns={turns} />
      <People />
      <Sums />
    </aside>
  );
}

function Turns({ turns }: { turns: readonly Turn[] }) {
  const silent = useSilence();
  const [chosen, setChosen] = useState<string>();
  const open = useMemo(() => turns.filter(isOpen), [turns]);
  const ended = useMemo(
    () =>
      turns
        .filter((turn) => !isOpen(turn))
        .slice(-ENDED)
        .reverse(),
    [turns],
  );
  return (
    <section aria-labelledby="turns">
      <h3 id="turns">Turns</h3>
      {open.length === 0 && <p className="about-none">No answer is under way.</p>}
      <ul className="turns">
        {open.map((turn) => (
          <li key={turn.id}>
            <OneTurn turn={turn} isSilent={silent.has(turn.id)} />
            <Button kind="danger" onClick={() => setChosen(turn.id)}>
              Cancel…
              <span className="visually-hidden"> the answer of {turn.agent ?? "nobody yet"}</span>
            </Button>
          </li>
        ))}
      </ul>
      {ended.length > 0 && (
        <details>
          <summary>The latest that ended</summary>
          <ul className="turns">
            {ended.map((turn) => (
              <li key={turn.id}>
                <OneTurn turn={turn} isSilent={false} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {chosen !== undefined && (
        <CancelDialog open={open} turn={chosen} onClose={() => setChosen(undefined)} />
      )}
    </section>
  );
}

function OneTurn({ turn, isSilent }: { turn: Turn; isSilent: boolean }) {
  const { agent, attempt, within, createdAt, endedAt, usage, cancel } = turn;
  const { tone, words } = turnWords(turn);
  return (
    <div className="turn">
      <p>
        <strong>
          <Plain text={agent ?? "No agent yet"} />
        </strong>{" "}
        <Status tone={isSilent ? "warn" : tone}>{isSilent ? "is silent" : words}</Status>
      </p>
      <p className="turn-more">
        {endedAt === undefined ? "began " : "ended "}
        <Ago at={endedAt ?? createdAt} />
        {attempt > 1 && `, attempt ${attempt}`}
        {within && ", within another"}
        {cancel && (
          <>
            {", cancelled by "}
            <Plain text={cancel.reason ? `${cancel.by}: ${cancel.reason}` : cancel.by} />
          </>
        )}
      </p>
      {usage && <Amounts usage={usage} />}
    </div>
  );
}

function People() {
  const { members, count } = usePresence();
  const others = count - members.length;
  return (
    <section aria-labelledby="people">
      <h3 id="people">Who is there</h3>
      {count === 0 && <p className="about-none">Nobody has said to be here.</p>}
      <ul className="about-people">
        {members.map(({ connection, client, name, role, since }) => (
          <li key={connection}>
            <Plain text={name ?? client} />
            <span className="turn-more">
              {role}, came <Ago at={since} />
            </span>
          </li>
        ))}
        {others > 0 && <li>and {others} more</li>}
      </ul>
    </section>
  );
}

function Sums() {
  const { sums, overBudget } = useUsage();
  return (
    <section aria-labelledby="usage">
      <h3 id="usage">Usage</h3>
      {Object.keys(sums).length === 0 ? (
        <p className="about-none">None was reported.</p>
      ) : (
        <Amounts usage={sums} />
      )}
      {overBudget && (
        <Note tone="warn">
          The budget is spent: {overBudget.used} of {overBudget.limit}{" "}
          <Plain text={overBudget.name} />. No agent begins until it is raised.
        </Note>
      )}
    </section>
  );
}

function Amounts({ usage }: { usage: Record<string, number> }) {
  return (
    <dl className="amounts">
      {Object.entries(usage).map(([name, amount]) => (
        <div key={name}>
          <dt>
            <Plain text={name} />
          </dt>
          <dd>{amount.toLocaleString()}</dd>
        </div>
      ))}
    </dl>
  );
}
