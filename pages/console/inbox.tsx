// The list with its search, in all its states.

import { useMemo, useRef, useState } from "react";
import type { InboxSnapshot, Inbox as Source } from "sessile/inbox";
import { Button, Empty, Loading, Note } from "../look/parts.tsx";
import { Finder } from "./finder.tsx";
import { SessionList } from "./list.tsx";
import type { Me } from "./me.ts";
import { hrefOf, isSessionId } from "./place.ts";
import { counts, type Filter, found, type Row } from "./rows.ts";
import type { Standing } from "./standing.ts";
import { wordsOf } from "./words.ts";

const NONE: Record<Filter, string> = {
  all: "Nothing is here",
  decide: "Nothing waits for a decision",
  open: "No agent is answering",
  unread: "Everything is read",
};

interface Props {
  snapshot: InboxSnapshot & Pick<Source, "loadMore">;
  rows: readonly Row[];
  me: Me;
  place: string | undefined;
  standing: Standing;
}

/** The left side of the desk. */
export function Inbox({ snapshot, rows, me, place, standing }: Props) {
  const { hasMore } = snapshot;
  const { isKnown, isOffline } = standing;
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [failed, setFailed] = useState<unknown>();
  const area = useRef<HTMLElement>(null);
  const shown = useMemo(() => found(rows, filter, search), [rows, filter, search]);
  const sums = useMemo(() => counts(rows), [rows]);
  const isMore = hasMore.sessions || hasMore.approvals;
  const id = search.trim();
  const isOther = isSessionId(id) && !rows.some((row) => row.id === id);
  const loadMore = async () => {
    setFailed(undefined);
    try {
      await Promise.all([
        hasMore.sessions && snapshot.loadMore("sessions"),
        hasMore.approvals && snapshot.loadMore("approvals"),
      ]);
    } catch (error) {
      setFailed(error);
    }
  };
  const enter = () => {
    if (shown.length > 0) area.current?.querySelector<HTMLElement>("[data-home]")?.focus();
    else if (isOther) location.hash = hrefOf(id);
  };
  return (
    <section className="inbox" aria-label="Inbox" data-area ref={area}>
      <Finder
        {...{ search, filter, counts: sums, onSearch: setSearch, onFilter: setFilter }}
        onEnter={enter}
      />
      {failed !== undefined && (
        <Note tone="bad" isUrgent>
          {wordsOf(failed)}
        </Note>
      )}
      {isOther && (
        <a className="inbox-other" href={hrefOf(id)}>
          Open “{id}” by its id
        </a>
      )}
      {!isKnown && isOffline ? (
        <Empty title="Offline">
          <p>The inbox is read as soon as the network is back.</p>
        </Empty>
      ) : !isKnown ? (
        <Loading label="Reading the inbox" />
      ) : shown.length > 0 ? (
        <SessionList
          rows={shown}
          selected={place}
          me={me.client}
          more={isMore ? loadMore : undefined}
        />
      ) : rows.length === 0 ? (
        <First me={me} />
      ) : (
        <Empty title={search ? "Nothing was found" : NONE[filter]}>
          <p>
            {search && "Titles and ids are searched. "}
            {isMore && `Only the newest ${rows.length} sessions are loaded. `}
          </p>
          {isMore && <Button onClick={loadMore}>Load more sessions</Button>}
        </Empty>
      )}
      {isOffline && isKnown && (
        <Note tone="warn">Offline: this is how things stood. It comes back by itself.</Note>
      )}
    </section>
  );
}

/** An inbox that nothing ever came to: how sessions get here (P15.1). */
function First({ me }: { me: Me }) {
  return (
    <div className="inbox-first">
      <h2>Nothing here yet</h2>
      <p>A session comes by itself when</p>
      <ul>
        <li>
          an agent asks the supervisors, with <code>assignees: ["role:supervisor"]</code>,
        </li>
        <li>
          an agent asks you by name, with <code>assignees: ["{me.client || "your id"}"]</code>,
        </li>
        <li>an agent asks something that no person's message stands behind,</li>
        <li>a question of others is escalated to you or the supervisors,</li>
        <li>or you take a session over, or write in it.</li>
      </ul>
      <p>
        A session in which none of that has happened is in no inbox. Type its id into the search to
        open it: then it stays in this list for as long as the tab.
      </p>
    </div>
  );
}
