// The page: which session, with which token, and what to say where there is none.

import { type FormEvent, type ReactNode, useEffect, useMemo, useState } from "react";
import { type Access, accessFor, forgetToken } from "../access/access.ts";
import { SignIn } from "../access/sign-in.tsx";
import { Button, Loading, Note, PageHeader } from "../look/parts.tsx";
import { inspectorOf, sessionIn } from "./address.ts";
import { Opened } from "./opened.tsx";
import { Reads } from "./reads.ts";
import { Watch } from "./watch.ts";

const WANTED = { client: "inspector", name: "Inspector", caps: { "*": ["admin"] } };

/** A way to a token; `none` where the visitor has to give one. */
type Way = { access: Access } | "asking" | "none" | "offline";

export function Inspector() {
  const session = sessionIn(location.pathname);
  const [way, setWay] = useState<Way>("asking");
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let isOver = false;
    document.title = session ? `${session.slice(0, 60)} · Inspector` : "Inspector";
    accessFor(WANTED)
      .then((access) => (access ? { access } : ("none" as const)))
      .catch(() => "offline" as const)
      .then((found) => isOver || setWay(found));
    return () => {
      isOver = true;
    };
  }, [session, tries]);
  if (session === "") return <Choose />;
  if (way === "none") {
    const needs = "the operation admin for this session";
    return <SignIn needs={needs} onAccess={(access) => setWay({ access })} />;
  }
  if (way === "offline") {
    return (
      <Frame>
        <Note tone="warn" title="The deployment does not answer" isUrgent>
          <p>There is no network, or nothing at this address.</p>
          <Button
            onClick={() => {
              setWay("asking");
              setTries(tries + 1);
            }}
          >
            Try again
          </Button>
        </Note>
      </Frame>
    );
  }
  if (way === "asking") {
    return (
      <Frame>
        <Loading label="Asking for access" />
      </Frame>
    );
  }
  const refuse = () => {
    forgetToken();
    setWay("none");
  };
  return <Session session={session} access={way.access} onOtherToken={refuse} />;
}

function Frame({ children }: { children: ReactNode }) {
  return (
    <>
      <PageHeader title="Inspector" />
      <main className="inspect">{children}</main>
    </>
  );
}

interface SessionProps {
  session: string;
  access: Access;
  onOtherToken: () => void;
}

function Session({ session, access, onOtherToken }: SessionProps) {
  const watch = useMemo(() => new Watch(new Reads(session, access)), [session, access]);
  useEffect(() => {
    void watch.start();
    return () => watch.end();
  }, [watch]);
  return <Opened watch={watch} session={session} onOtherToken={onOtherToken} />;
}

/** Asks for a session, where the address names none. */
function Choose() {
  const [session, setSession] = useState("");
  const open = (event: FormEvent) => {
    event.preventDefault();
    if (session.trim()) location.assign(inspectorOf(session.trim()) + location.hash);
  };
  return (
    <Frame>
      <form className="choose" onSubmit={open}>
        <h2>Which session?</h2>
        <label htmlFor="session">Its id</label>
        <input
          id="session"
          autoComplete="off"
          spellCheck={false}
          value={session}
          onInput={(event) => setSession(event.currentTarget.value)}
        />
        <Button kind="main" type="submit" disabled={session.trim() === ""}>
          Inspect it
        </Button>
      </form>
    </Frame>
  );
}
