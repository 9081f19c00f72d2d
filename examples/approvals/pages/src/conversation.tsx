// The conversation, for both pages.

import { useState } from "react";
import type { Session } from "sessile";
import { useConnection, useHistory, useMessages } from "sessile/react";

export function Conversation({ session }: { session: Session }) {
  const messages = useMessages(session);
  const { hasOlder, isLoadingOlder, loadOlder } = useHistory(session);
  const { state, error } = useConnection(session);
  return (
    <section>
      <output id="connection">{state}</output>
      {error && <p role="alert">{error.message}</p>}
      {hasOlder && (
        <button type="button" id="older" disabled={isLoadingOlder} onClick={() => loadOlder(50)}>
          Older
        </button>
      )}
      <ol id="messages">
        {messages.map(({ id, serial, client, role, data, delivery, status }) => (
          <li key={id ?? serial} data-role={role} data-state={delivery ?? status}>
            <b>{role === "assistant" ? "Tickets" : client}</b> {String(data)}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A line to write on. */
export function Composer({ label, onSend }: { label: string; onSend(text: string): void }) {
  const [text, setText] = useState("");
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        onSend(text);
        setText("");
      }}
    >
      <input aria-label={label} value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit">Send</button>
    </form>
  );
}
