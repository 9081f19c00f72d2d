// One session in the list.

import { hrefOf } from "./place.ts";
import { Plain } from "./plain.tsx";
import type { Row } from "./rows.ts";
import { Age } from "./time.tsx";

/** More unread messages are not counted (P9.5). */
const UNREAD_MOST = 100;

interface Props {
  row: Row;
  /** The client at this page. */
  me: string;
  isOpen: boolean;
  /** Whether the keyboard is here. */
  isActive: boolean;
}

/** A link to a session, with how it stands. */
export function Line({ row, me, isOpen, isActive }: Props) {
  const { id, title, lastActivityAt, unread = 0 } = row;
  return (
    <a
      className="line"
      href={hrefOf(id)}
      aria-current={isOpen ? "page" : undefined}
      tabIndex={isActive ? 0 : -1}
      data-home={isActive ? "" : undefined}
      data-back={isActive ? "focus" : undefined}
      data-unread={unread > 0 ? "" : undefined}
    >
      <span className="line-row">
        <span className="line-title">
          <Plain text={title ?? id} />
        </span>
        {lastActivityAt !== undefined && (
          <span className="line-time">
            <Age at={lastActivityAt} />
          </span>
        )}
      </span>
      <span className="line-row">
        <span className="line-state">{stateOf(row, me)}</span>
        <Badges row={row} me={me} />
      </span>
    </a>
  );
}

/** The most telling thing of a session: what is asked, who leads, or whether agents answer. */
function stateOf({ asked, lead, openTurns = 0, isListed, id, title }: Row, me: string) {
  if (asked[0]) return <Plain text={asked[0].title} />;
  if (lead)
    return lead.client === me ? "You lead" : <Plain text={`${lead.name ?? lead.client} leads`} />;
  if (openTurns > 0)
    return openTurns === 1 ? "1 answer under way" : `${openTurns} answers under way`;
  if (!isListed) return "Opened by its id";
  return title === undefined ? "" : id;
}

function Badges({ row, me }: { row: Row; me: string }) {
  const { asked, pendingApprovals = 0, lead, unread = 0 } = row;
  const others = Math.max(0, pendingApprovals - asked.length);
  return (
    <>
      {lead && asked.length > 0 && (
        <span className="badge">{lead.client === me ? "you lead" : "led"}</span>
      )}
      {asked.length > 0 && (
        <span className="badge" data-tone="warn">
          {asked.length} to decide
        </span>
      )}
      {others > 0 && <span className="badge">{others} with others</span>}
      {unread > 0 && (
        <span className="badge" data-tone="accent">
          {unread < UNREAD_MOST ? unread : `${UNREAD_MOST}+`}
          <span className="visually-hidden"> unread</span>
        </span>
      )}
    </>
  );
}
