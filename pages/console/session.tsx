// One session, as the person at the desk sees it: it is watched until somebody takes over.

import { useEffect, useMemo, useRef, useState } from "react";
import { marksOf, presenceOf, type Snapshot } from "sessile";
import {
  SessionProvider,
  useApprovals,
  useConnection,
  useLead,
  useMessages,
  useSession,
  useTurns,
} from "sessile/react";
import type { Access } from "../access/access.ts";
import { Button, Empty, Loading, Note } from "../look/parts.tsx";
import { About } from "./about.tsx";
import { Conversation } from "./conversation.tsx";
import { useFocusKept } from "./focus.ts";
import { Head } from "./head.tsx";
import { LeadBar } from "./lead.tsx";
import type { Me } from "./me.ts";
import { isSessionId, LIST } from "./place.ts";
import type { Row } from "./rows.ts";
import { useStanding } from "./standing.ts";
import { Talk } from "./talk.tsx";
import { wordsOf } from "./words.ts";
import "./session.css";

interface Props {
  id: string;
  access: Access;
  me: Me;
  /** Its line in the list, if it has one. */
  row: Row | undefined;
  /** Whether the inbox was read, so that a session without a line is in none. */
  isKnown: boolean;
  /** It was opened, and is in no inbox. */
  onOpened: (id: string, title?: string) => void;
  onForget: (id: string) => void;
}

/** The right side of the desk. */
export function SessionView(props: Props) {
  if (isSessionId(props.id)) return <Opened {...props} />;
  return (
    <section className="case" aria-label="Session" data-area>
      <Empty title="No session is called that">
        <p>An id has 1 to 128 of the letters A–Z and a–z, digits, and _ . : ~ -</p>
        <a href={LIST} data-back="press">
          Back to the list
        </a>
      </Empty>
    </section>
  );
}

function Opened(props: Props) {
  const { id, access } = props;
  const session = useSession({ url: location.origin, session: id, token: access });
  return (
    <SessionProvider session={session}>
      <Case {...props} />
    </SessionProvider>
  );
}

function Case({ id, me, row, isKnown, onOpened, onForget }: Props) {
  const session = useSession();
  const connection = useConnection();
  const messages = useMessages();
  const turns = useTurns();
  const { pending, settled } = useApprovals();
  const { lead, isOwn } = useLead();
  const [isAbout, setAbout] = useState(false);
  const standing = useStanding(connection);
  const { isKnown: isRead, isOffline } = standing;
  const title = useName(row, isRead);
  useReading(row?.unread ?? 0);
  usePresent(isOwn);
  const isUnlisted = isKnown && !row?.isListed;
  const count = messages.length + turns.length + pending.length + settled.length;
  const isEmpty = count === 0 && !session.hasOlder && !lead;
  useEffect(() => {
    if (isRead && isUnlisted && !isEmpty) onOpened(id, title);
  }, [isRead, isUnlisted, isEmpty, id, title, onOpened]);
  const place = useRef<HTMLElement>(null);
  useFocusKept(place);
  if (connection.state === "closed") {
    return (
      <section className="case" aria-label="Session" data-area>
        <Head {...{ id, title, standing, isAbout }} onAbout={undefined} />
        <Note tone="bad" title="This session cannot be shown" isUrgent>
          <p>{connection.error ? wordsOf(connection.error) : "Its connection was closed."}</p>
          {row?.isListed === false && (
            <Button onClick={() => onForget(id)}>Take it off the list</Button>
          )}
        </Note>
      </section>
    );
  }
  return (
    <section
      className="case"
      ref={place}
      aria-label="Session"
      data-area
      data-about={isAbout ? "" : undefined}
    >
      <Head {...{ id, title, standing, isAbout }} onAbout={() => setAbout(!isAbout)} />
      {!(isRead && isEmpty) && (
        <LeadBar {...{ lead, isOwn, turns, isRead, isOffline, pending, me }} />
      )}
      <div className="case-columns">
        <div className="case-main">
          {!isRead && isOffline ? (
            <Empty title="Offline">
              <p>The session is read as soon as the network is back.</p>
            </Empty>
          ) : !isRead ? (
            <Loading label="Reading the session" />
          ) : isEmpty ? (
            <Empty title="Nothing was said here yet">
              <p>A session begins with its first message. Is the id right?</p>
            </Empty>
          ) : (
            <Conversation me={me} isOwn={isOwn} />
          )}
          {!isEmpty && <Talk {...{ lead, isOwn, isRead }} />}
        </div>
        {!isEmpty && <About turns={turns} isUnlisted={isUnlisted} onForget={() => onForget(id)} />}
      </div>
    </section>
  );
}

/** The title: the inbox has it, and else the session's settings. */
function useName(row: Row | undefined, isRead: boolean): string | undefined {
  const session = useSession();
  const [read, setRead] = useState<string>();
  const isWanted = isRead && !row?.isListed;
  useEffect(() => {
    if (!isWanted) return;
    session.link.read<Snapshot>("?rewind=0").then(
      ({ settings }) => setRead((settings as { title?: string } | undefined)?.title),
      () => {},
    );
  }, [session, isWanted]);
  return row?.title ?? read;
}

/** Marks what is on screen as read, where the person's own inbox counts it (P9.5). */
function useReading(unread: number): void {
  const session = useSession();
  const messages = useMessages();
  const last = useMemo(
    () => messages.findLast(({ delivery }) => delivery === undefined)?.serial,
    [messages],
  );
  useEffect(() => {
    const mark = () => {
      if (unread === 0 || last === undefined || document.visibilityState !== "visible") return;
      marksOf(session)
        .read(last)
        .catch(() => {});
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [session, last, unread]);
}

/** Shows a person who leads as there; one who watches is not shown. */
function usePresent(isOwn: boolean): void {
  const session = useSession();
  useEffect(() => {
    if (!isOwn) return;
    const presence = presenceOf(session);
    presence.enter().catch(() => {});
    return () => presence.leave();
  }, [session, isOwn]);
}
