// The desk: the list on one side, the session on the other; on a phone one after the other.

import { useEffect, useMemo, useRef, useState } from "react";
import type { Approval } from "sessile";
import { createInbox } from "sessile/inbox";
import { useInbox } from "sessile/react";
import type { Access } from "../access/access.ts";
import { Button, Empty, Note, PageHeader, Status } from "../look/parts.tsx";
import { Held } from "./held.tsx";
import { Inbox } from "./inbox.tsx";
import { useKeys } from "./keys.ts";
import { KeysDialog } from "./keys-dialog.tsx";
import type { Me } from "./me.ts";
import { useOpened } from "./opened.ts";
import { LIST, usePlace } from "./place.ts";
import { rowsOf } from "./rows.ts";
import { SessionView } from "./session.tsx";
import { useStanding } from "./standing.ts";
import { wordsOf } from "./words.ts";
import "./desk.css";

interface Props {
  access: Access;
  me: Me;
  /** The person wants another token. */
  onLeave: () => void;
}

/** The whole console. */
export function Desk({ access, me, onLeave }: Props) {
  const inbox = useMemo(() => createInbox({ url: location.origin, token: access }), [access]);
  const snapshot = useInbox(inbox);
  const { sessions, approvals, connection } = snapshot;
  const opened = useOpened();
  const rows = useMemo(
    () => rowsOf({ sessions, approvals }, opened.all),
    [sessions, approvals, opened.all],
  );
  const place = usePlace();
  const [isHelping, setHelping] = useState(false);
  const forget = (id: string) => {
    opened.forget(id);
    location.hash = LIST;
  };
  useKeys();
  useTitle(approvals.length);
  const standing = useStanding(connection);
  const { isKnown, tone, words } = standing;
  const row = rows.find(({ id }) => id === place);
  return (
    <div className="desk" data-place={place === undefined ? "list" : "session"}>
      <PageHeader title="Console">
        <span role="status" className="desk-connection">
          <Status tone={tone}>{words}</Status>
        </span>
        <span className="desk-me">{me.name ?? me.client}</span>
        <Button aria-keyshortcuts="?" onClick={() => setHelping(true)}>
          Keys <kbd>?</kbd>
        </Button>
      </PageHeader>
      {connection.state === "closed" ? (
        <main className="desk-closed">
          <Note tone="bad" title="This console is not connected" isUrgent>
            <p>{connection.error ? wordsOf(connection.error) : "The connection was closed."}</p>
            <Button kind="main" onClick={onLeave}>
              Use another token
            </Button>
          </Note>
        </main>
      ) : (
        <main className="desk-columns">
          <Inbox {...{ snapshot, rows, me, place, standing }} />
          {place === undefined ? (
            <div className="desk-nothing">
              <Empty title="No session is open">
                <p>Choose one in the list: you watch until you take over.</p>
              </Empty>
            </div>
          ) : (
            <SessionView
              key={place}
              id={place}
              {...{ access, me, row, isKnown }}
              onOpened={opened.keep}
              onForget={forget}
            />
          )}
        </main>
      )}
      <Held rows={rows} place={place} access={access} me={me} />
      <News newest={approvals[0]} isKnown={isKnown} place={place} />
      {isHelping && <KeysDialog onClose={() => setHelping(false)} />}
    </div>
  );
}

/** The number of decisions in the tab's title, for people who look elsewhere. */
function useTitle(count: number): void {
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ""}Console · Sessile`;
  }, [count]);
}

interface NewsProps {
  /** The newest that waits, if the inbox was read. */
  newest: Approval | undefined;
  isKnown: boolean;
  place: string | undefined;
}

/** Says once that something new waits for a decision, but for the session that is open. */
function News({ newest, isKnown, place }: NewsProps) {
  const latestAt = useRef<number>(undefined);
  const said = useRef("");
  if (isKnown) {
    const { createdAt = 0, session, title } = newest ?? {};
    const isNew = latestAt.current !== undefined && createdAt > latestAt.current;
    if (isNew && session !== place) said.current = `New decision: ${title}`;
    latestAt.current = Math.max(createdAt, latestAt.current ?? 0);
  }
  return (
    <p className="visually-hidden" role="status">
      {said.current}
    </p>
  );
}
