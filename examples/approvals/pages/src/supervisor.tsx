// The supervisor's page: what waits in any session, and the session of what was chosen, whole.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useInbox } from "sessile/react";
import { Case } from "./case.tsx";
import { session as first, token, url } from "./place.ts";

function Desk() {
  const inbox = useInbox({ url, token });
  const [chosen, setChosen] = useState(location.hash.includes("session=") ? first : "");
  return (
    <main>
      <h1>
        Supervisor <output id="inbox">{inbox.connection.state}</output>
      </h1>
      <nav>
        <h2>Waiting for you</h2>
        <ul id="approvals">
          {inbox.approvals.map(({ session, id, title }) => (
            <li key={`${session}/${id}`}>
              <button type="button" onClick={() => setChosen(session)}>
                {session}: {title}
              </button>
            </li>
          ))}
        </ul>
        {inbox.hasMore.approvals && (
          <button type="button" onClick={() => inbox.loadMore("approvals")}>
            More
          </button>
        )}
        <h2>Sessions</h2>
        <ul id="sessions">
          {inbox.sessions.map(({ id, title, openTurns, pendingApprovals }) => (
            <li key={id}>
              <button type="button" onClick={() => setChosen(id)}>
                {title ?? id}: {openTurns} open, {pendingApprovals} waiting
              </button>
            </li>
          ))}
        </ul>
        {inbox.hasMore.sessions && (
          <button type="button" onClick={() => inbox.loadMore("sessions")}>
            More
          </button>
        )}
      </nav>
      {chosen && <Case key={chosen} id={chosen} />}
    </main>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Desk />
    </StrictMode>,
  );
}
