// The page: a conversation, what each specialist does, and the user's selections, on every device.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { isOpen } from "sessile";
import { SessionProvider, useConnection, useMessages, useSession, useTurns } from "sessile/react";
import { KINDS } from "../trip.ts";
import { Specialist } from "./specialist.tsx";
import { useTrip } from "./use-trip.ts";

const {
  url = "http://localhost:8787",
  session: id = "hello",
  token = "",
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function Planner() {
  const session = useSession({ url, session: id, token });
  const { state, error } = useConnection(session);
  return (
    <SessionProvider session={session}>
      <header>
        <h1>Trip planner</h1>
        <output id="connection">{state}</output>
      </header>
      {error && <p role="alert">{error.message}</p>}
      <Conversation />
      <Plan onStop={(plan) => session.cancel(plan, "stopped by the user")} />
      <Composer onSend={(text) => session.send(text)} />
    </SessionProvider>
  );
}

function Conversation() {
  // The tasks for the specialists and their words are messages of other names.
  const messages = useMessages().filter(({ name }) => name === "message");
  return (
    <ol id="messages">
      {messages.map(({ id, serial, role, data, delivery, status }) => (
        <li key={id ?? serial} data-role={role} data-state={delivery ?? status}>
          {String(data)}
        </li>
      ))}
    </ol>
  );
}

function Plan({ onStop }: { onStop(plan: string): void }) {
  const destination = useTrip(["destination"]);
  const plan = useTrip(["plan"]);
  const turn = useTurns().find(({ id }) => id === plan);
  if (!plan) return <p className="hint">Say where you would like to go.</p>;
  return (
    <section id="plan">
      <h2>
        {destination}
        {turn && isOpen(turn) && (
          <button type="button" id="stop" onClick={() => onStop(plan)}>
            Stop
          </button>
        )}
      </h2>
      <div className="specialists">
        {KINDS.map((kind) => (
          <Specialist key={kind} plan={plan} kind={kind} />
        ))}
      </div>
    </section>
  );
}

function Composer({ onSend }: { onSend(text: string): void }) {
  const [text, setText] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSend(text);
        setText("");
      }}
    >
      <input
        aria-label="Message"
        placeholder="Plan a trip to Lisbon"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit">Send</button>
      <button type="button" onClick={() => onSend("What is my itinerary?")}>
        My itinerary
      </button>
    </form>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Planner />
    </StrictMode>,
  );
}
