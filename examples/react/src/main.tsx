// A conversation in React, with nothing but the session's own hooks.

import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { presenceOf, type Session } from "sessile";
import {
  useConnection,
  useHistory,
  useMessages,
  usePresence,
  useSession,
  useTurns,
} from "sessile/react";

const {
  url = "http://localhost:8787",
  session: id = "demo",
  token = "",
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function Conversation() {
  const session = useSession({ url, session: id, token });
  const messages = useMessages(session);
  useEffect(() => void presenceOf(session).enter(), [session]);
  return (
    <>
      <Status session={session} />
      <Older session={session} />
      <ol id="messages">
        {messages.map((message) => (
          <li
            key={message.id ?? message.serial}
            data-role={message.role}
            data-state={message.delivery ?? message.status}
          >
            {String(message.data)}
          </li>
        ))}
      </ol>
      <Composer session={session} />
    </>
  );
}

function Status({ session }: { session: Session }) {
  const { state, error } = useConnection(session);
  const { count } = usePresence(session);
  return (
    <p>
      <output id="connection">{state}</output> <output id="present">{count}</output> here
      {error && <span role="alert">{error.message}</span>}
    </p>
  );
}

function Older({ session }: { session: Session }) {
  const { hasOlder, isLoadingOlder, loadOlder } = useHistory(session);
  if (!hasOlder) return null;
  return (
    <button type="button" id="older" disabled={isLoadingOlder} onClick={() => loadOlder(20)}>
      Older
    </button>
  );
}

function Composer({ session }: { session: Session }) {
  const [text, setText] = useState("");
  const running = useTurns(session).filter(({ status }) => status === "active");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // While an answer runs, what is sent now interrupts it.
        if (running.length > 0) session.interrupt(text);
        else session.send(text);
        setText("");
      }}
    >
      <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit">Send</button>
      {running.map((turn) => (
        <button
          type="button"
          key={turn.id}
          className="stop"
          onClick={() => session.cancel(turn.id)}
        >
          Stop
        </button>
      ))}
    </form>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Conversation />
    </StrictMode>,
  );
}
